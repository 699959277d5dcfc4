//! Tables of figures, and whether they hold what they must.

use std::fmt::Display;

/// A figure held against its threshold.
pub(crate) struct Verdict {
    threshold: String,
    holds: bool,
}

impl Verdict {
    pub(crate) fn at_most(figure: f64, threshold: f64) -> Self {
        Self { threshold: format!("≤ {threshold}"), holds: figure <= threshold }
    }

    pub(crate) fn at_least(figure: f64, threshold: f64) -> Self {
        Self { threshold: format!("≥ {threshold}"), holds: figure >= threshold }
    }
}

/// A table in the making: the first column is text, the others are figures.
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
    holds: bool,
}

impl Table {
    /// The heads leave out the last two columns, which every table has: threshold and verdict.
    pub(crate) fn new(title: impl Into<String>, heads: &[&str]) -> Self {
        let heads = heads.iter().copied().chain(["threshold", ""]);
        Self { title: title.into(), rows: vec![heads.map(str::to_owned).collect()], holds: true }
    }

    /// A row without a threshold.
    pub(crate) fn row(&mut self, cells: &[&dyn Display]) {
        self.rows.push(cells.iter().map(ToString::to_string).collect());
    }

    /// A row whose last figure must hold.
    pub(crate) fn judged(&mut self, cells: &[&dyn Display], verdict: &Verdict) {
        self.row(cells);
        let word = if verdict.holds { "holds" } else { "FAILS" };
        let row = self.rows.last_mut().expect("the row that was just added");
        row.extend([verdict.threshold.clone(), word.to_owned()]);
        self.holds &= verdict.holds;
    }

    /// Prints the table, and tells whether all of it holds.
    pub(crate) fn print(&self) -> bool {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        println!("\n{}", self.title);
        for row in &self.rows {
            let mut line = format!("  {:<1$}", row[0], width(0));
            for (column, cell) in row.iter().enumerate().skip(1) {
                line += &format!("  {cell:>0$}", width(column));
            }
            println!("{}", line.trim_end());
        }
        self.holds
    }
}

/// The middle one of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// With so many digits after the point.
pub(crate) fn digits(figure: f64, digits: usize) -> String {
    format!("{figure:.digits$}")
}

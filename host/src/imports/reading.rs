//! Making rows of a file: CSV as spreadsheets write it, or JSON. What a row means is the API's business: here it is a set of
//! named values.
//!
//! A cell is text and nothing else: what a spreadsheet would take for a formula is posted as it stands.

use crate::error::{Error, Result};
use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Largest file.
pub const MAX_BYTES: usize = 2 << 20;
/// Most rows of a file.
pub const MAX_ROWS: usize = 1_000;
/// Most bytes of one cell.
const MAX_CELL_BYTES: usize = 200_000;

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, also with semicolons or tabs; the first line names the columns.
    Csv,
    /// A list of objects, or an object with such a list as `rows`.
    Json,
}

/// A row by its names; or, for a person, what is wrong with it.
pub type Named = Result<Map<String, Value>, String>;

/// Reads a file into its rows. Columns whose cells are lists are named by `lists`.
///
/// # Errors
/// The file as a whole cannot be read, has a column that is none of `columns`, or has no rows or too many.
pub fn read(format: Format, bytes: &[u8], columns: &[&str], lists: &[&str]) -> Result<Vec<Named>> {
    let text = text(bytes)?;
    let rows = match format {
        Format::Csv => csv_rows(text, columns, lists)?,
        Format::Json => json_rows(text)?,
    };
    match rows.len() {
        0 => Err(unreadable("The file has no rows.")),
        1..=MAX_ROWS => Ok(rows),
        many => Err(unreadable(format!("The file has {many} rows; send {MAX_ROWS} at most at a time."))),
    }
}

fn unreadable(detail: impl Into<String>) -> Error {
    Error::invalid("file", detail)
}

/// The text of a file, without a byte order mark.
fn text(bytes: &[u8]) -> Result<&str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable("The file is in UTF-16. Save it as UTF-8, in a spreadsheet as \"CSV UTF-8\"."));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count();
        unreadable(format!("Line {line} is not UTF-8. Save the file as UTF-8, in a spreadsheet as \"CSV UTF-8\"."))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.split('\0').next().filter(|before| before.len() < text.len()) {
        Some(before) => Err(unreadable(format!("Line {} has a zero byte in it.", 1 + before.matches('\n').count()))),
        None => Ok(text),
    }
}

fn json_rows(text: &str) -> Result<Vec<Named>> {
    let file: Value =
        serde_json::from_str(text).map_err(|error| Error::Malformed(format!("The file is no JSON: {error}.")))?;
    let rows = match file {
        Value::Array(rows) => rows,
        Value::Object(mut members) => match (members.remove("rows"), members.keys().next()) {
            (Some(Value::Array(rows)), None) => rows,
            (_, Some(other)) => {
                return Err(unreadable(format!("The file has `rows` and nothing else, not `{other:.50}`.")));
            }
            (_, None) => return Err(unreadable("`rows` is to be a list of rows.")),
        },
        _ => return Err(unreadable("The file is to be a list of rows.")),
    };
    let named = rows.into_iter().map(|row| match row {
        Value::Object(members) => Ok(members),
        _ => Err("A row is an object with members such as `platform` and `content`.".to_owned()),
    });
    Ok(named.collect())
}

fn csv_rows(text: &str, columns: &[&str], lists: &[&str]) -> Result<Vec<Named>> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).trim(Trim::Headers).from_reader(text.as_bytes());
    let malformed = |error: csv::Error| unreadable(format!("The file is no CSV: {error}."));
    let names: Vec<String> = reader.headers().map_err(malformed)?.iter().map(str::to_ascii_lowercase).collect();
    let mut seen = BTreeSet::new();
    for name in &names {
        if !columns.contains(&name.as_str()) {
            let known = columns.join(", ");
            return Err(unreadable(format!(
                "There is no column `{name:.50}`. The first line names columns of: {known}."
            )));
        }
        if !seen.insert(name) {
            return Err(unreadable(format!("The column `{name}` is there twice.")));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        // A line of nothing but separators, as spreadsheets leave them below the rows.
        if record.iter().all(str::is_empty) {
            continue;
        }
        rows.push(row(&names, &record, lists));
    }
    Ok(rows)
}

fn row(names: &[String], record: &StringRecord, lists: &[&str]) -> Named {
    if record.len() > names.len() {
        let (cells, columns) = (record.len(), names.len());
        return Err(format!("The row has {cells} cells for {columns} columns. Put text with separators into quotes."));
    }
    let mut members = Map::new();
    for (name, cell) in names.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        if cell.len() > MAX_CELL_BYTES {
            return Err(format!("The cell of `{name}` has more than {MAX_CELL_BYTES} bytes. Is a quote missing?"));
        }
        let value = if lists.contains(&name.as_str()) {
            cell.split(|c: char| c.is_whitespace() || c == '|').filter(|item| !item.is_empty()).collect()
        } else {
            Value::from(cell)
        };
        members.insert(name.clone(), value);
    }
    Ok(members)
}

/// What separates the cells: whatever the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // Of equals, the last: a comma where there is only one column.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::{Format, MAX_ROWS, Named, read};
    use serde_json::{Value, json};

    const COLUMNS: &[&str] = &["platform", "content", "media_urls"];

    fn csv(bytes: &[u8]) -> Result<Vec<Named>, String> {
        read(Format::Csv, bytes, COLUMNS, &["media_urls"]).map_err(|error| error.to_string())
    }

    #[test]
    fn files_of_spreadsheets_are_read() {
        let row = json!({"platform": "twitter", "content": "a, \"b\"\nc"});
        for file in [
            "platform,content\ntwitter,\"a, \"\"b\"\"\nc\"\n",
            "\u{feff}Platform;Content\r\ntwitter;\"a, \"\"b\"\"\nc\"\r\n;\r\n",
            " platform \tcontent\ntwitter\t\"a, \"\"b\"\"\nc\"",
        ] {
            assert_eq!(csv(file.as_bytes()).unwrap(), [Ok(row.as_object().unwrap().clone())], "{file}");
        }
        let formulas = csv(b"content\n=1+1\n@ann\n-1\n\"+49 30\"\n'=x\n").unwrap();
        let texts: Vec<&Value> = formulas.iter().map(|row| &row.as_ref().unwrap()["content"]).collect();
        assert_eq!(texts, ["=1+1", "@ann", "-1", "+49 30", "'=x"]);
        let media = csv(b"media_urls\nhttps://a/1.png https://a/2.png|https://a/3.png\n").unwrap();
        assert_eq!(media[0].as_ref().unwrap()["media_urls"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn hostile_files_are_refused_in_words() {
        for (file, words) in [
            (&b"platform,content\ntwitter,\xff\xfe\n"[..], "Line 2 is not UTF-8"),
            (b"\xff\xfep\0l\0", "UTF-16"),
            (b"platform,content\ntwitter,a\0b\n", "Line 2 has a zero byte"),
            (b"platform,surprise\ntwitter,x\n", "no column `surprise`"),
            (b"platform,platform\ntwitter,x\n", "there twice"),
            (b"platform,content\n", "no rows"),
            (b"", "no rows"),
        ] {
            let refused = csv(file).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        let many = format!("content\n{}", "x\n".repeat(MAX_ROWS + 1));
        assert!(csv(many.as_bytes()).unwrap_err().contains("1001 rows"));
        // An open quote swallows the rest, which is one cell then.
        let open = format!("content,platform\n\"{}\n", "x,y\n".repeat(60_000));
        assert!(csv(open.as_bytes()).unwrap()[0].as_ref().unwrap_err().contains("Is a quote missing?"));
        assert!(csv(b"content\na,b\n").unwrap()[0].is_err());
    }

    #[test]
    fn json_is_a_list_of_objects() {
        let read = |text: &str| read(Format::Json, text.as_bytes(), COLUMNS, &[]);
        assert_eq!(read(r#"[{"content": "a"}]"#).unwrap(), read(r#"{"rows": [{"content": "a"}]}"#).unwrap());
        assert!(read("[1]").unwrap()[0].is_err());
        for text in ["", "{", "null", "[]", "{}", r#"{"surprise": 1}"#, r#"{"rows": 1}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

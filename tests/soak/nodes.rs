//! The hosts: processes of the product's program on one database, each with a port and a data folder of its own.

use crate::harness::{Place, Process};
use crate::stage::Stage;
use rand::RngExt as _;
use std::net::TcpListener;

pub(crate) struct Nodes<'a> {
    places: Vec<Place<'a>>,
    processes: Vec<Option<Process>>,
    pub(crate) kills: usize,
}

impl<'a> Nodes<'a> {
    /// Nodes that do not run yet.
    pub(crate) fn on(stage: &'a Stage) -> Self {
        let config = stage.host.app.config();
        // All ports are held until each is known, so that no two are the same.
        let listeners: Vec<_> = stage.folders.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let place = |(data, listener): (&'a std::path::PathBuf, &TcpListener)| Place {
            port: listener.local_addr().unwrap().port(),
            data,
            database: config.database(),
            connectors: &config.connectors_folder,
            sim: &stage.host.sim,
            openai: &stage.host.openai,
            also: stage.environment(),
        };
        let places: Vec<_> = stage.folders.iter().zip(&listeners).map(place).collect();
        Self { processes: places.iter().map(|_| None).collect(), places, kills: 0 }
    }

    pub(crate) fn database(&self) -> &str {
        &self.places[0].database
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.places.iter().map(Place::url).collect()
    }

    /// Starts those that do not run.
    pub(crate) fn start(&mut self) {
        for (process, place) in self.processes.iter_mut().zip(&self.places) {
            process.get_or_insert_with(|| place.start(None));
        }
    }

    /// Waits until all of them serve.
    pub(crate) async fn serving(&mut self) {
        for (n, (process, place)) in self.processes.iter_mut().zip(&self.places).enumerate() {
            let process = process.as_mut().expect("it was started");
            assert!(place.serving(process).await, "node {n} ended by itself");
        }
    }

    /// Kills so many, whichever they are.
    pub(crate) fn kill(&mut self, victims: usize) {
        for _ in 0..victims {
            let n = rand::rng().random_range(0..self.processes.len());
            if let Some(process) = self.processes[n].take() {
                process.kill();
                self.kills += 1;
            }
        }
    }
}

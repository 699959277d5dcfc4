//! The WASI that guests are given: linked and empty, so that standard libraries start.
//!
//! Fuel pays for a guest's own instructions. What the library does for a guest is bounded here instead: how much it may
//! print and draw at once, and that others run between two long answers.

use super::guest::Guest;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::time::Duration;
use wasmtime::StoreContextMut;
use wasmtime::component::{HasSelf, Linker, LinkerInstance, Resource};
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi::p2::bindings::random::insecure::Host as _;
use wasmtime_wasi::p2::bindings::random::random::Host as _;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup;
use wasmtime_wasi::p2::bindings::sockets::network::{self, IpAddress, Network};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{DynPollable, IoError, SocketError};
use wasmtime_wasi::random::WasiRandomCtx;
use wasmtime_wasi::sockets::WasiSocketsView as _;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiView as _};

/// Most bytes of one `wasi:random` call: hash maps and ids take a few dozen.
const MAX_RANDOM_BYTES: u64 = 4 << 10;
/// Most bytes that a guest may print in one call. Nobody reads them; one that prints more traps.
const MAX_PRINTED_BYTES: usize = 256 << 10;

/// The version of `wasi:random` that the library links; a guest's own is matched to it.
const RANDOM_VERSION: &str = "0.2.12";

/// Links WASI, with a pace for the functions that work long for little fuel.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    poll::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)?;
    ip_name_lookup::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)?;
    let mut random = linker.instance(&format!("wasi:random/random@{RANDOM_VERSION}"))?;
    draw(&mut random, "get-random-bytes", WasiRandomCtx::get_random_bytes)?;
    let mut insecure = linker.instance(&format!("wasi:random/insecure@{RANDOM_VERSION}"))?;
    draw(&mut insecure, "get-insecure-random-bytes", WasiRandomCtx::get_insecure_random_bytes)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What draws so many random bytes.
type Draw = fn(&mut WasiRandomCtx, u64) -> wasmtime::Result<Vec<u8>>;

/// Links a function that draws random bytes: thousands may be asked for at once, again and again.
fn draw(instance: &mut LinkerInstance<'_, Guest>, name: &str, draw: Draw) -> wasmtime::Result<()> {
    instance.func_wrap_async(name, move |mut store: StoreContextMut<'_, Guest>, (count,): (u64,)| {
        Box::new(async move {
            let guest = store.data_mut();
            guest.pace().await;
            Ok((draw(guest.ctx().ctx.random(), count)?,))
        })
    })
}

/// A WASI with nothing in it. Time stands still at the run's beginning and randomness comes from the run's seed: a re-run
/// sees the same.
pub(super) fn empty(seed: i64, started_at: i64) -> WasiCtx {
    let seed = seed.cast_unsigned();
    let moment = Duration::from_micros(u64::try_from(started_at).unwrap_or(0));
    let mut wasi = WasiCtx::builder();
    wasi.secure_random(StdRng::seed_from_u64(seed))
        .insecure_random(StdRng::seed_from_u64(!seed))
        .insecure_random_seed(u128::from(seed))
        .max_random_size(MAX_RANDOM_BYTES)
        .wall_clock(Standing(moment))
        .monotonic_clock(Standing(moment))
        .stdout(MemoryOutputPipe::new(MAX_PRINTED_BYTES))
        .stderr(MemoryOutputPipe::new(MAX_PRINTED_BYTES))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    wasi.build()
}

struct Standing(Duration);

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Standing {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Thousands of handles can be asked about at once, again and again.
impl poll::Host for Guest {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.pace().await;
        poll::Host::poll(&mut self.table, pollables).await
    }
}

impl poll::HostPollable for Guest {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(&mut self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.pace().await;
        poll::HostPollable::block(&mut self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(&mut self.table, pollable)
    }
}

/// The one function of WASI that takes a text of any length for nothing in return. There are no names to look up.
impl ip_name_lookup::Host for Guest {
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        _name: String,
    ) -> Result<Resource<ip_name_lookup::ResolveAddressStream>, SocketError> {
        Err(SocketError::trap(wasmtime::Error::msg("a connector has no network: it asks the host to send requests")))
    }
}

impl network::Host for Guest {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<network::ErrorCode> {
        network::Host::convert_error_code(&mut self.sockets(), error)
    }

    fn network_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<network::ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets(), error)
    }
}

impl network::HostNetwork for Guest {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

impl ip_name_lookup::HostResolveAddressStream for Guest {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        ip_name_lookup::HostResolveAddressStream::resolve_next_address(&mut self.sockets(), stream)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.sockets(), stream)
    }

    fn drop(&mut self, stream: Resource<ip_name_lookup::ResolveAddressStream>) -> wasmtime::Result<()> {
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.sockets(), stream)
    }
}

//! A web server with media of any size, which counts how often each is fetched.
//!
//! - `<any>-<width>x<height>.png`: a picture that one sees through.
//! - `<any>-<width>x<height>.jpg`, `<any>-<width>x<height>-<bytes>.jpg`: a picture, of exactly so many bytes.
//! - `<any>-<milliseconds>-<height>.mp4`: the boxes of a film, and nothing to play.
//! - `hostile.mp4`: boxes that promise more than there is.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

#[derive(Default)]
struct Kept {
    fetched: HashMap<String, usize>,
    /// What is served under another's name.
    instead: HashMap<String, String>,
    is_down: bool,
}

/// A running server, which ends with the test's runtime.
pub(crate) struct Web {
    address: String,
    kept: Arc<Mutex<Kept>>,
}

impl Web {
    pub(super) async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/{name}", get(serve)).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, kept }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    fn kept<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often a medium was asked for.
    pub(crate) fn fetched(&self, name: &str) -> usize {
        self.kept(|kept| kept.fetched.get(name).copied().unwrap_or(0))
    }

    /// Serves something else under a name from now on.
    pub(crate) fn put(&self, name: &str, other: &str) {
        self.kept(|kept| kept.instead.insert(name.to_owned(), other.to_owned()));
    }

    /// Answers 503, or no longer.
    pub(crate) fn down(&self, is_down: bool) {
        self.kept(|kept| kept.is_down = is_down);
    }
}

async fn serve(State(kept): State<Arc<Mutex<Kept>>>, Path(name): Path<String>) -> Response {
    let (name, is_down) = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept.fetched.entry(name.clone()).or_default() += 1;
        (kept.instead.get(&name).cloned().unwrap_or(name), kept.is_down)
    };
    if is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    made(&name).ok_or(StatusCode::NOT_FOUND).into_response()
}

fn made(name: &str) -> Option<Vec<u8>> {
    if name == "hostile.mp4" {
        return Some(hostile());
    }
    let (stem, kind) = name.rsplit_once('.')?;
    let measures: Vec<&str> = stem.split('-').skip(1).collect();
    match (kind, measures.as_slice()) {
        ("png", [size]) => png(sides(size)?),
        ("jpg", [size]) => jpeg(sides(size)?),
        ("jpg", [size, bytes]) => {
            let mut jpeg = jpeg(sides(size)?)?;
            // What stands behind its end is no part of a picture.
            jpeg.resize(bytes.parse().ok()?, 0);
            Some(jpeg)
        }
        ("mp4", [milliseconds, height]) => Some(film(milliseconds.parse().ok()?, height.parse().ok()?)),
        _ => None,
    }
}

fn sides(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

fn png((width, height): (u32, u32)) -> Option<Vec<u8>> {
    let (mut png, pixels) = (Vec::new(), vec![0; (width * height * 4) as usize]);
    PngEncoder::new(&mut png).write_image(&pixels, width, height, ExtendedColorType::Rgba8).ok()?;
    Some(png)
}

fn jpeg((width, height): (u32, u32)) -> Option<Vec<u8>> {
    let (mut jpeg, pixels) = (Vec::new(), vec![90; (width * height) as usize]);
    JpegEncoder::new_with_quality(&mut jpeg, 60).write_image(&pixels, width, height, ExtendedColorType::L8).ok()?;
    Some(jpeg)
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
    all.extend_from_slice(kind);
    all.extend_from_slice(body);
    all
}

/// The unity matrix of ISO/IEC 14496-12, 8.2.2.
fn matrix() -> Vec<u8> {
    [0x0001_0000_u32, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// A file type, the data, and behind them the index (ISO/IEC 14496-12, 8.2 and 8.3), as a telephone writes it.
fn film(milliseconds: u32, height: u16) -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    // Version and flags, made, changed, parts of a second, duration, rate, volume and what is reserved.
    let mut movie = numbers(&[0, 0, 0, 1_000, milliseconds, 0x0001_0000, 0x0100_0000, 0, 0]);
    movie.extend(matrix());
    movie.extend(numbers(&[0, 0, 0, 0, 0, 0, 2]));
    // Version and flags, made, changed, number, reserved, duration, reserved, layer and volume.
    let mut track = numbers(&[7, 0, 0, 1, 0, milliseconds, 0, 0, 0, 0]);
    track.extend(matrix());
    track.extend(numbers(&[u32::from(height) << 16, u32::from(height) << 16]));
    let index = [boxed(b"mvhd", &movie), boxed(b"trak", &boxed(b"tkhd", &track))].concat();
    [boxed(b"ftyp", b"isom\0\0\x02\0isommp42"), boxed(b"mdat", &[0; 5_000]), boxed(b"moov", &index)].concat()
}

/// An index that promises four gigabytes, in a file of a hundred bytes.
fn hostile() -> Vec<u8> {
    let mut all = boxed(b"ftyp", b"isom\0\0\x02\0isommp42");
    all.extend(u32::MAX.to_be_bytes());
    all.extend(b"moov");
    all.resize(100, 0xff);
    all
}

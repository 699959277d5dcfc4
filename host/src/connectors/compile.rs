//! From a component's bytes to machine code.
//!
//! Compiling hostile code may take minutes and gigabytes, so a child of bounded memory and time does it (`orla compile`),
//! and refuses beforehand what is far larger than a connector can be. The artefact is kept under the digest of its source
//! and the engine's compatibility, with a MAC: what is not ours is never loaded, it is made anew.

use super::Setup;
use super::engine::{self, Contents};
use anyhow::{Context as _, bail, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasmparser::{Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::vault::Key;

/// Largest component.
pub const MAX_COMPONENT_BYTES: usize = 32 << 20;
const MAX_FUNCTIONS: u32 = 50_000;
const MAX_BODY_BYTES: usize = 512 << 10;
const MAX_LOCALS: u64 = 10_000;
const CHILD_MEMORY_BYTES: u64 = 1 << 30;
const CHILD_CPU_S: u64 = 60;
const CHILD_WALL: Duration = Duration::from_secs(120);
/// How far it steps back behind the host where the two want the same core: it gets about a quarter of that.
const NICE: i32 = 5;
const MAC_BYTES: usize = 32;
/// The child's flag for memories whose contents are copied.
const COPIED: &str = "--copied";

/// Compiles components, or finds what was compiled before.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// This program, which is also the child.
    program: PathBuf,
    folder: PathBuf,
    key: Key,
    compatibility: String,
    contents: Contents,
}

impl Compiler {
    pub(crate) fn new(setup: Setup, folder: PathBuf, key: Key, engine: &Engine) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let compatibility = engine::compatibility(engine);
        let Setup { program, memories } = setup;
        let contents = memories.contents();
        Ok(Self { program, folder, key, compatibility, contents })
    }

    /// The machine code that was kept of a component; `None` where there is none, or none that is ours.
    pub(crate) fn kept(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let file = self.file(digest);
        let kept = self.read(&file, digest).and_then(|artefact| load(engine, &artefact));
        match kept {
            Ok(component) => Some(component),
            Err(error) if file.exists() => {
                tracing::warn!(digest, %error, "an artefact is not ours and is made anew");
                None
            }
            Err(_) => None,
        }
    }

    /// Compiles a component, and keeps its machine code.
    ///
    /// # Errors
    /// The component is refused, or the child ended at one of its limits: a sentence that says which.
    pub(crate) async fn compile(&self, engine: &Engine, digest: &str, wasm: &[u8]) -> anyhow::Result<Component> {
        let artefact = self.compile_in_child(wasm).await?;
        self.write(&self.file(digest), digest, &artefact)?;
        load(engine, &artefact)
    }

    fn file(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}-{}.cwasm", self.compatibility))
    }

    fn mac(&self, digest: &str, artefact: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).expect("HMAC takes keys of any length");
        mac.update(digest.as_bytes());
        mac.update(self.compatibility.as_bytes());
        mac.update(artefact);
        mac
    }

    fn read(&self, file: &Path, digest: &str) -> anyhow::Result<Vec<u8>> {
        let mut bytes = std::fs::read(file)?;
        ensure!(bytes.len() > MAC_BYTES, "it is cut short");
        let artefact = bytes.split_off(MAC_BYTES);
        self.mac(digest, &artefact).verify_slice(&bytes).ok().context("its MAC is wrong")?;
        Ok(artefact)
    }

    fn write(&self, file: &Path, digest: &str, artefact: &[u8]) -> anyhow::Result<()> {
        let mut partial = tempfile::NamedTempFile::new_in(&self.folder)?;
        partial.write_all(&self.mac(digest, artefact).finalize().into_bytes())?;
        partial.write_all(artefact)?;
        partial.persist(file).with_context(|| format!("cannot keep {}", file.display()))?;
        Ok(())
    }

    async fn compile_in_child(&self, wasm: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut child = tokio::process::Command::new(&self.program)
            .arg("compile")
            .args((self.contents == Contents::Copied).then_some(COPIED))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the compiler {}", self.program.display()))?;
        let mut stdin = child.stdin.take().context("the compiler has no standard input")?;
        let feed = async move {
            // A child that refuses its input closes the pipe; what it says is then the better error.
            let _ = stdin.write_all(wasm).await;
            drop(stdin);
        };
        let run = async { tokio::join!(feed, child.wait_with_output()).1 };
        let Ok(output) = tokio::time::timeout(CHILD_WALL, run).await else {
            bail!("compiling took more than {} s", CHILD_WALL.as_secs());
        };
        let output = output.context("the compiler was lost")?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        match words.trim() {
            "" => bail!(
                "compiling hit a limit ({} MiB, {CHILD_CPU_S} s of CPU): {}",
                CHILD_MEMORY_BYTES >> 20,
                output.status
            ),
            words => bail!("{}", words.chars().take(500).collect::<String>()),
        }
    }
}

/// Loads machine code that this host made.
#[expect(unsafe_code, reason = "machine code is trusted: callers pass what this host compiled, proven by its MAC")]
fn load(engine: &Engine, artefact: &[u8]) -> anyhow::Result<Component> {
    // SAFETY: `artefact` came out of our own compiling child in this call, or its MAC under our key was verified.
    unsafe { Component::deserialize(engine, artefact) }.map_err(engine::explain)
}

/// The child: compiles the component on standard input to standard output, under limits that it sets for itself.
///
/// # Errors
/// A sentence for the operator, which the parent passes on.
pub fn child(contents: Contents) -> anyhow::Result<()> {
    let most_bytes = address_space_bytes()? + CHILD_MEMORY_BYTES;
    rlimit::setrlimit(rlimit::Resource::AS, most_bytes, most_bytes)?;
    rlimit::setrlimit(rlimit::Resource::CPU, CHILD_CPU_S, CHILD_CPU_S)?;
    rlimit::setrlimit(rlimit::Resource::CORE, 0, 0)?;
    // It compiles on all cores, and whoever serves people comes first.
    rustix::process::nice(NICE)?;
    let mut wasm = Vec::new();
    std::io::stdin().take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut wasm)?;
    check_size(&wasm)?;
    let artefact = engine::compiling(contents)
        .and_then(|engine| engine.precompile_component(&wasm))
        .map_err(|error| anyhow::anyhow!("the component does not compile: {error:#}"))?;
    std::io::stdout().write_all(&artefact)?;
    Ok(())
}

/// The address space that this process has taken so far, by `/proc/self/statm` (proc(5)).
fn address_space_bytes() -> anyhow::Result<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').next().context("the first field")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Reads a component from a file, but not more of it than a component can have.
///
/// # Errors
/// The file cannot be read, or is too large.
pub(crate) async fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut wasm = Vec::new();
    let opened = tokio::fs::File::open(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    opened.take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut wasm).await?;
    check_bytes(&wasm)?;
    Ok(wasm)
}

fn check_bytes(wasm: &[u8]) -> anyhow::Result<()> {
    ensure!(wasm.len() <= MAX_COMPONENT_BYTES, "the component is larger than {} MiB", MAX_COMPONENT_BYTES >> 20);
    Ok(())
}

/// Refuses a component that is far larger than a connector can be, before anything is spent on it.
///
/// # Errors
/// A sentence that says what is too large, or that it is no component.
pub fn check_size(wasm: &[u8]) -> anyhow::Result<()> {
    check_bytes(wasm)?;
    ensure!(Parser::is_component(wasm), "this is no WebAssembly component");
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| anyhow::anyhow!("the component is malformed: {error}"))? {
            Payload::CodeSectionStart { count, .. } => {
                functions += count;
                ensure!(functions <= MAX_FUNCTIONS, "the component has more than {MAX_FUNCTIONS} functions");
            }
            Payload::CodeSectionEntry(body) => {
                let bytes = body.range().len();
                ensure!(
                    bytes <= MAX_BODY_BYTES,
                    "a function of the component has {bytes} bytes; {MAX_BODY_BYTES} are taken"
                );
                let mut locals = 0;
                for group in body.get_locals_reader()? {
                    locals += u64::from(group?.0);
                    ensure!(locals <= MAX_LOCALS, "a function of the component has more than {MAX_LOCALS} locals");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The name of a component: SHA-256 of its bytes in hex.
pub(crate) fn digest(wasm: &[u8]) -> String {
    hex::encode(Sha256::digest(wasm))
}

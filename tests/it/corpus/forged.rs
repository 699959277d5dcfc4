//! Components made by hand: what no compiler of a decent language would produce. Their core modules are WebAssembly text,
//! and the contract's own WIT makes components of them.

use orla_manifest::{
    AnswerPlace, Auth, ClientAuth, Endpoint, Limits, Manifest, OAuth2, Pkce, Place, Publishing, Refresh, SCHEMA, Sign,
    TokenRequest,
};
use std::path::{Path, PathBuf};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The connector's id.
pub(crate) const ID: &str = "forged";
/// The length of a text for which the connector's allocator never returns.
pub(crate) const SPINNING_BYTES: usize = 4_242;

/// A file of this package.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Makes a component of a core module in one of the worlds of `forged.wit`.
pub(crate) fn component(world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(file("../wit")).unwrap();
    let package = resolve.push_file(file("it/corpus/forged.wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap_or_else(|error| panic!("{error:?}"));
    encoder.encode().unwrap_or_else(|error| panic!("{error:?}"))
}

/// The connector that carries these attacks out, each the body of a function that gives what `publish` returns.
pub(crate) fn connector(attacks: &[&str]) -> Vec<u8> {
    let manifest = serde_json::to_string(&manifest(ID)).unwrap();
    let names: Vec<String> = (0..attacks.len()).map(|index| format!("$attack{index}")).collect();
    let bodies = attacks.iter().zip(&names);
    let bodies: Vec<String> = bodies.map(|(body, name)| format!("(func {name} (result i32) {body})")).collect();
    let module = std::fs::read_to_string(file("it/corpus/forged.wat")).unwrap();
    let module = module
        .replace("{manifest}", &escaped(manifest.as_bytes()))
        .replace("{manifest_bytes}", &manifest.len().to_string())
        .replace("{spinning_bytes}", &SPINNING_BYTES.to_string())
        .replace("{attack_names}", &names.join(" "))
        .replace("{attacks}", &bodies.join("\n"));
    component("forged", &module)
}

/// Bytes as a text of WebAssembly writes them.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A component that only describes itself, with this manifest; the rest of its module goes besides.
pub(crate) fn describing(manifest: &str, besides: &str) -> Vec<u8> {
    let pages = manifest.len() / 65_536 + 2;
    component(
        "bare",
        &format!(
            r#"(module
                (memory (export "memory") {pages})
                (data (i32.const 65536) "{}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
                (func (export "describe") (result i32)
                    (i32.store (i32.const 8) (i32.const 65536))
                    (i32.store (i32.const 12) (i32.const {}))
                    (i32.const 8))
                {besides})"#,
            escaped(manifest.as_bytes()),
            manifest.len()
        ),
    )
}

/// A manifest that asks for nothing unusual.
pub(crate) fn manifest(id: &str) -> Manifest {
    let place = |endpoint: &str, path: &str| Place { endpoint: endpoint.to_owned(), path: path.to_owned() };
    let endpoint = |origin: &str, sign| Endpoint {
        origin: origin.into(),
        sign,
        proof: None,
        reads: Vec::new(),
        host_only: Vec::new(),
    };
    Manifest {
        schema: SCHEMA,
        id: id.to_owned(),
        name: "Forged".to_owned(),
        version: "0.1.0".parse().unwrap(),
        platform: None,
        auth: Auth::Oauth2(OAuth2 {
            authorize: place("web", "/i/oauth2/authorize"),
            authorize_params: [].into(),
            token: place("api", "/2/oauth2/token"),
            token_request: TokenRequest::default(),
            exchange: Vec::new(),
            refresh: Refresh::None,
            revoke: None,
            scopes: ["tweet.read", "users.read"].map(str::to_owned).into(),
            optional_scopes: Vec::new(),
            scope_separator: " ".to_owned(),
            granted: None,
            pkce: Pkce::S256,
            client_auth: ClientAuth::Basic,
            revoked_errors: Vec::new(),
            default_lifetime_s: 7_200,
            service_account: None,
        }),
        endpoints: [
            ("web".to_owned(), endpoint("https://x.com", Sign::None)),
            ("api".to_owned(), endpoint("https://api.x.com", Sign::Bearer)),
        ]
        .into(),
        links: Vec::new(),
        slots: Vec::new(),
        secret_members: Vec::new(),
        verdicts: Vec::new(),
        publishing: Some(Publishing {
            visible_after_s: 30,
            max_parts: 1,
            max_media: 0,
            media: Vec::new(),
            committed_id: vec![AnswerPlace::Pointer("/data/id".to_owned())],
            ..Publishing::default()
        }),
        usage: Vec::new(),
        settings: [].into(),
        // Short, so that many attacks fit into a test.
        limits: Limits { fuel: 50_000_000, guest_ms: 2_000, ..Limits::default() },
    }
}

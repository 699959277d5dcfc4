//! The contract of `wit/` in Rust, generated.
//!
//! One module a world. They share types, so that a blob handle of `publish` is the blob handle of `http`.

/// What every connector is given.
pub(crate) mod connector {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "connector",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/blob.blob": crate::connectors::blob::Handle,
            "orla:connector/http.events": crate::connectors::events::Events,
        },
    });
}

pub(crate) mod identifies {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "identifies",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod publishes {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "publishes",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod reconciles {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "reconciles",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
            "orla:connector/variants": crate::connectors::bindings::publishes::orla::connector::variants,
        },
    });
}

pub(crate) mod removes {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "removes",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod stores {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "stores",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod films {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "films",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod listens {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "listens",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod replies {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "replies",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

pub(crate) mod writes {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "writes",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "orla:connector/types": crate::connectors::bindings::connector::orla::connector::types,
            "orla:connector/blob": crate::connectors::bindings::connector::orla::connector::blob,
            "orla:connector/http": crate::connectors::bindings::connector::orla::connector::http,
        },
    });
}

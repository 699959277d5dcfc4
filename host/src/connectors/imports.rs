//! What a guest may call: `http`, `blob` and `log` of the contract.

use super::answer::Answer;
use super::bindings::connector::orla::connector::{blob as wit_blob, http as wit, log as wit_log, types as wit_types};
use super::blob::Handle;
use super::fault::{self, Fault, FaultKind};
use super::guest::{Guest, MAX_NOTE_CHARS, powerless};
use super::request::{FormPart, Outbound, PartContent, Payload, Slice};
use super::send::{self, Outcome};
use bytes::Bytes;
use std::sync::Arc;
use wasmtime::component::Resource;

/// Most bytes of one request that a guest makes itself; larger bodies come from blobs.
const MAX_GUEST_BODY_BYTES: usize = 4 << 20;
/// Most bytes of a JSON document that blobs are written into. It is taken apart in memory, where it grows many times over.
const MAX_DOCUMENT_BYTES: usize = 512 << 10;

impl wit_types::Host for Guest {}
impl wit_blob::Host for Guest {}

impl wit_blob::HostBlob for Guest {
    async fn size(&mut self, blob: Resource<Handle>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&blob)?.0.size())
    }

    async fn content_type(&mut self, blob: Resource<Handle>) -> wasmtime::Result<String> {
        Ok(self.table.get(&blob)?.0.content_type.clone())
    }

    async fn sha256(&mut self, blob: Resource<Handle>) -> wasmtime::Result<String> {
        Ok(self.table.get(&blob)?.0.sha256.clone())
    }

    async fn public_url(&mut self, blob: Resource<Handle>) -> wasmtime::Result<Result<String, wit_types::Fault>> {
        self.pace().await;
        let Some(run) = &self.run else { return Err(powerless()) };
        let blob = self.table.get(&blob)?.0.clone();
        Ok(run.public_url(blob).map_err(wit_types::Fault::from))
    }

    async fn drop(&mut self, blob: Resource<Handle>) -> wasmtime::Result<()> {
        self.table.delete(blob)?;
        Ok(())
    }
}

impl wit_log::Host for Guest {
    async fn write(&mut self, level: wit_log::Level, message: String) -> wasmtime::Result<()> {
        self.pace().await;
        let Some(run) = self.run.clone() else { return Err(powerless()) };
        let is_error = matches!(level, wit_log::Level::Error);
        if self.notes_left == 0 && !is_error {
            return Ok(());
        }
        // One line each: a note must not pass for a line of the host's.
        let message = run.secrets.blank_text(fault::plain(&message, MAX_NOTE_CHARS));
        if is_error {
            self.last_error = Some(message.clone());
        }
        if self.notes_left == 0 {
            return Ok(());
        }
        self.notes_left -= 1;
        let connector = &run.release.manifest.id;
        match level {
            wit_log::Level::Debug => tracing::debug!(connector, run = %run.id, "connector: {message}"),
            wit_log::Level::Info => tracing::info!(connector, run = %run.id, "connector: {message}"),
            wit_log::Level::Warn | wit_log::Level::Error => {
                tracing::warn!(connector, run = %run.id, "connector: {message}")
            }
        }
        Ok(())
    }
}

impl wit::Host for Guest {
    async fn send(&mut self, request: wit::Request) -> wasmtime::Result<Result<wit::Outcome, wit_types::Fault>> {
        self.pace().await;
        let Some(run) = self.run.clone() else { return Err(powerless()) };
        let payload = match self.payload(&request.body)? {
            Ok(payload) => payload,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let outbound = match Outbound::check(&run, &request, payload) {
            Ok(outbound) => outbound,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let waiting = self.waiting.begin();
        let outcome = Box::pin(send::send(&run, outbound, &request.effect, request.answer)).await;
        drop(waiting);
        match outcome {
            Ok(Outcome::Known(committed)) => Ok(Ok(wit::Outcome::Known(committed.into()))),
            Ok(Outcome::Streamed(answer, events)) => {
                let Answer { status, headers, .. } = answer;
                let body = wit::Answer::Events(self.table.push(events)?);
                Ok(Ok(wit::Outcome::Fresh(wit::Response { status, headers, body })))
            }
            Ok(Outcome::Fresh(answer, blobs)) => {
                let blobs =
                    blobs.into_iter().map(|blob| self.table.push(Handle(Arc::new(blob)))).collect::<Result<_, _>>()?;
                Ok(Ok(wit::Outcome::Fresh(response(answer, blobs))))
            }
            Err(fault) => Ok(Err(Fault { message: run.secrets.blank_text(fault.message), ..fault }.into())),
        }
    }

    async fn forget(&mut self, key: String) -> wasmtime::Result<()> {
        self.pace().await;
        let Some(run) = &self.run else { return Err(powerless()) };
        if let Some(journal) = &run.journal {
            let waiting = self.waiting.begin();
            journal.forget(&key).await;
            drop(waiting);
        }
        Ok(())
    }
}

fn response(answer: Answer, mut blobs: Vec<Resource<Handle>>) -> wit::Response {
    let body = match (answer.body.bytes(), blobs.len()) {
        (None, 0) => wit::Answer::None,
        (Some(bytes), 0) => wit::Answer::Bytes(bytes),
        (None, 1) => wit::Answer::Blob(blobs.remove(0)),
        (bytes, _) => {
            let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
            wit::Answer::JsonAndBlobs((text, blobs))
        }
    };
    wit::Response { status: answer.status, headers: answer.headers, body }
}

impl Guest {
    /// Takes a body over from the guest. Handles become the blobs that they stand for.
    ///
    /// # Errors
    /// Outside: a handle that the guest does not hold, which traps. Inside: a body that breaks the contract.
    fn payload(&self, body: &wit::Body) -> wasmtime::Result<Result<Payload, Fault>> {
        Ok(Ok(match body {
            wit::Body::None => Payload::None,
            wit::Body::Bytes(wit::TypedBytes { content_type, bytes }) => {
                if bytes.len() > MAX_GUEST_BODY_BYTES {
                    return Ok(Err(too_large(MAX_GUEST_BODY_BYTES)));
                }
                Payload::Bytes { content_type: content_type.clone(), bytes: Bytes::copy_from_slice(bytes) }
            }
            wit::Body::Json(text) => {
                if text.len() > MAX_GUEST_BODY_BYTES {
                    return Ok(Err(too_large(MAX_GUEST_BODY_BYTES)));
                }
                if serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
                    return Ok(Err(Fault::bug("the JSON body is no JSON")));
                }
                Payload::Bytes { content_type: "application/json".to_owned(), bytes: Bytes::from(text.clone()) }
            }
            wit::Body::Form(fields) => Payload::Form(fields.clone()),
            wit::Body::Blob(slice) => match self.slice(slice)? {
                Ok(slice) => Payload::Blob(slice),
                Err(fault) => return Ok(Err(fault)),
            },
            wit::Body::Multipart(parts) => {
                let mut taken = Vec::with_capacity(parts.len());
                for part in parts {
                    let content = match &part.content {
                        wit::PartContent::Text(text) => PartContent::Text(text.clone()),
                        wit::PartContent::Blob(slice) => match self.slice(slice)? {
                            Ok(slice) => PartContent::Blob(slice),
                            Err(fault) => return Ok(Err(fault)),
                        },
                    };
                    let (filename, content_type) = (part.filename.clone(), part.content_type.clone());
                    taken.push(FormPart { name: part.name.clone(), filename, content_type, content });
                }
                Payload::Multipart(taken)
            }
            wit::Body::JsonWithBlobs(wit::JsonWithBlobs { document, blobs }) => {
                if document.len() > MAX_DOCUMENT_BYTES {
                    return Ok(Err(too_large(MAX_DOCUMENT_BYTES)));
                }
                let Ok(document) = serde_json::from_str(document) else {
                    return Ok(Err(Fault::bug("the JSON body is no JSON")));
                };
                let mut taken = Vec::with_capacity(blobs.len());
                for embedded in blobs {
                    match self.slice(&embedded.slice)? {
                        Ok(slice) => taken.push((embedded.pointer.clone(), slice)),
                        Err(fault) => return Ok(Err(fault)),
                    }
                }
                Payload::JsonWithBlobs { document, blobs: taken }
            }
        }))
    }

    fn slice(&self, slice: &wit::BlobSlice) -> wasmtime::Result<Result<Slice, Fault>> {
        let blob = self.table.get(&slice.source)?.0.clone();
        Ok(match slice.offset.checked_add(slice.length) {
            Some(end) if end <= blob.size() => Ok(Slice { blob, offset: slice.offset, length: slice.length }),
            _ => Err(Fault::bug(format!("a slice reaches beyond the {} bytes of its blob", blob.size()))),
        })
    }
}

fn too_large(most: usize) -> Fault {
    Fault::new(FaultKind::TooLarge, format!("a connector makes such a body of at most {most} bytes itself"))
}

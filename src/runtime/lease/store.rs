//! Where the record is kept.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};

use super::Record;
use crate::api::Time;
use crate::runtime::client::{Api, Resource, Target};
use crate::runtime::error::ApiError;
use crate::runtime::limiter::Class;
use crate::runtime::object::ObjectKey;

/// Keeps one record. A write is refused with `Conflict` where the stored version is not the record's.
pub trait LeaseStore: Send + Sync {
    /// The record; `None` where there is none yet.
    fn read(&self) -> impl Future<Output = Result<Option<Record>, ApiError>> + Send;
    /// Stores a first record; returns its version.
    fn create(&self, record: &Record) -> impl Future<Output = Result<String, ApiError>> + Send;
    /// Replaces the record of the same version; returns the new version.
    fn replace(&self, record: &Record) -> impl Future<Output = Result<String, ApiError>> + Send;
}

/// A Lease object. Its [`Api`] should have a client and a limiter of its own, so that load never costs leadership.
#[derive(Clone, Debug)]
pub struct ApiLeaseStore {
    api: Api,
    target: Target,
}

impl ApiLeaseStore {
    /// The Lease `name` in `namespace`.
    pub fn new(api: Api, namespace: &str, name: &str) -> Self {
        let resource = Resource::new("coordination.k8s.io", "v1", "leases");
        Self { api, target: Target::new(resource, ObjectKey::new(namespace, name)) }
    }

    fn object(&self, record: &Record) -> Value {
        let mut metadata = serde_json::Map::new();
        metadata.insert("name".to_owned(), json!(self.target.key.name));
        metadata.insert("namespace".to_owned(), json!(self.target.key.namespace));
        if !record.version.is_empty() {
            metadata.insert("resourceVersion".to_owned(), json!(record.version));
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": record.holder,
                "leaseDurationSeconds": record.duration.as_secs().max(1),
                "acquireTime": record.acquired.map(Time::to_micro),
                "renewTime": record.renewed.map(Time::to_micro),
                "leaseTransitions": record.transitions,
            },
        })
    }
}

impl LeaseStore for ApiLeaseStore {
    async fn read(&self) -> Result<Option<Record>, ApiError> {
        match self.api.get::<Value>(Class::Route, &self.target).await {
            Ok(lease) => Ok(Some(record(&lease))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(&self, record: &Record) -> Result<String, ApiError> {
        let stored: Value = self.api.create(Class::Route, &self.target, &self.object(record)).await?;
        Ok(version(&stored))
    }

    async fn replace(&self, record: &Record) -> Result<String, ApiError> {
        let stored: Value = self.api.replace(Class::Route, &self.target, &self.object(record)).await?;
        Ok(version(&stored))
    }
}

fn version(lease: &Value) -> String {
    lease.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The record in a Lease; whatever is missing in it counts as empty.
fn record(lease: &Value) -> Record {
    let spec = lease.get("spec").unwrap_or(&Value::Null);
    let time = |field: &str| spec.get(field).and_then(Value::as_str).and_then(|text| text.parse().ok());
    let number = |field: &str| spec.get(field).and_then(Value::as_i64).unwrap_or(0);
    Record {
        holder: spec.get("holderIdentity").and_then(Value::as_str).unwrap_or_default().to_owned(),
        duration: Duration::from_secs(number("leaseDurationSeconds").try_into().unwrap_or(0)),
        acquired: time("acquireTime"),
        renewed: time("renewTime"),
        transitions: number("leaseTransitions"),
        version: version(lease),
    }
}

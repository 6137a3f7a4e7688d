//! The next version: what differs from the one that runs, as an object to apply.

use serde_json::{Value, json};

use super::input::Files;
use super::options::Change;
use crate::api::Rollout;
use crate::cli::suggest::nearest;
use crate::rollout::workload;
use crate::sim::api_server::merge_by_name;
use crate::sim::object;

/// The tag of a version that nobody has named.
const NEXT: &str = "next";

/// The release that is simulated.
#[derive(Clone, Debug)]
pub struct Release {
    /// Kind of the object that changes, as the store names it.
    pub kind: &'static str,
    /// The object, changed.
    pub object: Value,
    /// The workload that the Rollout takes its template from, as it is first.
    pub workload: Option<Value>,
    /// Images before and after, by container.
    pub images: (Vec<String>, Vec<String>),
    /// What changes, in a few words.
    pub told: String,
    /// What the reader should know of it.
    pub note: Option<String>,
}

/// Works the change out.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) fn release(rollout: &Value, read: &Rollout, files: &Files, change: &Change) -> Result<Release, String> {
    let workload = workload(read, files);
    let (kind, before, path): (_, &Value, &[&str]) = match &workload {
        None => ("Rollout", rollout, &["spec", "template"]),
        Some(found) => match object::text(found, "/kind") {
            "PodTemplate" => ("PodTemplate", found, &["template"]),
            "ReplicaSet" => ("ReplicaSet", found, &["spec", "template"]),
            _ => ("Deployment", found, &["spec", "template"]),
        },
    };
    let pointer = format!("/{}", path.join("/"));
    let mut template = before.pointer(&pointer).cloned().unwrap_or_default();
    let mut after = before.clone();
    let images_before = images(&template);
    let (told, note) = match change {
        Change::Tag => {
            let (container, image) = next_tag(&template)?;
            set_image(&mut template, (&container, &image))?;
            object::put(&mut after, path, template);
            let note = "no new version was given: the first container's image gets another tag (--to-image, --patch)";
            (format!("image {image}"), Some(note.to_owned()))
        }
        Change::Image { container, image } => {
            set_image(&mut template, (container, image))?;
            object::put(&mut after, path, template);
            (format!("image {image}"), None)
        }
        Change::Patch { file, patch } => {
            apply(&mut after, (file, patch))?;
            (format!("patch {file}"), None)
        }
    };
    if after == *before {
        return Err("the new version is the same as the old one: choose another with --to-image or --patch".to_owned());
    }
    let images_after = images(after.pointer(&pointer).unwrap_or(&Value::Null));
    Ok(Release { kind, object: after, workload, images: (images_before, images_after), told, note })
}

fn workload(read: &Rollout, files: &Files) -> Option<Value> {
    let wanted = workload::referenced(read)?.ok()?;
    let kind = wanted.resource.kind.into_owned();
    files.get(&kind, &wanted.namespace, &wanted.name).map(|(_, value)| value.clone())
}

fn containers(template: &Value) -> &[Value] {
    object::list(template, "/spec/containers")
}

fn images(template: &Value) -> Vec<String> {
    containers(template).iter().map(|container| object::text(container, "/image").to_owned()).collect()
}

/// The first container, and its image with another tag.
fn next_tag(template: &Value) -> Result<(String, String), String> {
    let first = containers(template).first().ok_or("the pod template has no container whose image could change")?;
    let image = object::text(first, "/image");
    let bare = image.split('@').next().unwrap_or_default();
    let is_tagged = bare.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let next = if is_tagged { format!("{bare}-{NEXT}") } else { format!("{bare}:{NEXT}") };
    Ok((object::text(first, "/name").to_owned(), next))
}

fn set_image(template: &mut Value, (container, image): (&str, &str)) -> Result<(), String> {
    let names: Vec<String> = containers(template).iter().map(|one| object::text(one, "/name").to_owned()).collect();
    if container != "*" && !names.iter().any(|name| name == container) {
        let meant = nearest(container, names.iter().map(String::as_str));
        let meant = meant.map(|meant| format!(" (did you mean {meant:?}?)")).unwrap_or_default();
        return Err(format!(
            "--to-image: the pod template has no container {container:?}{meant}; it has: {}",
            names.join(", ")
        ));
    }
    let list = template.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    for one in list.into_iter().flatten() {
        if container == "*" || object::text(one, "/name") == container {
            object::put(one, &["image"], json!(image));
        }
    }
    Ok(())
}

/// Applies a patch; one that names another object is refused.
fn apply(after: &mut Value, (file, patch): (&str, &Value)) -> Result<(), String> {
    if !patch.is_object() {
        return Err(format!("{file}: a patch is a map of fields, such as spec: {{template: …}}"));
    }
    let (kind, name) = (object::text(patch, "/kind"), object::name(patch));
    let other =
        (!kind.is_empty() && kind != object::text(after, "/kind")) || (!name.is_empty() && name != object::name(after));
    if other {
        let (have, which) = (object::text(after, "/kind"), object::name(after));
        return Err(format!("{file}: it is a patch of {kind} {name:?}; the pod template is that of {have} {which:?}"));
    }
    merge_by_name(after, patch);
    Ok(())
}

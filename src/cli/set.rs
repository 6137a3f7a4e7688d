//! `set image`: a new image, and with it a new revision. Source: cli §2.

use serde_json::Value;

use super::client::{Cluster, DEPLOYMENTS, ROLLOUTS, Resource};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;

/// Attempts when others change the object at the same time.
const TRIES: usize = 5;
/// Lists of a pod's specification that hold containers.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Change a Rollout: `set image`
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  siskin set image checkout web=registry.example.com/web:v2\n  siskin set image checkout '*=registry.example.com/web:v2'"
)]
pub struct Set {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Set the image of a container, which starts an update
    Image(Image),
}

#[derive(Debug, clap::Args)]
struct Image {
    /// Name of a Rollout.
    #[arg(value_name = "NAME")]
    name: String,
    /// Container and its image; `*` stands for all containers.
    #[arg(value_name = "CONTAINER=IMAGE", value_parser = container_image)]
    change: (String, String),
}

fn container_image(text: &str) -> Result<(String, String), String> {
    match text.split('=').collect::<Vec<_>>().as_slice() {
        [container, image] if !container.is_empty() && !image.is_empty() => {
            Ok(((*container).to_owned(), (*image).to_owned()))
        }
        _ => Err("expected CONTAINER=IMAGE, such as web=registry.example.com/web:v2".to_owned()),
    }
}

impl Set {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let What::Image(Image { name, change: (container, image) }) = self.what;
        let cluster = session.cluster().await?;
        let (resource, target) = target(&cluster, &name).await?;
        for attempt in 1..=TRIES {
            let mut object = fetch(&cluster, resource, &target).await?;
            set_image(&mut object, &container, &image)?;
            match cluster.put(resource, &target, &object).await {
                Ok(_) => break,
                Err(refused) if refused.code() == 409 && attempt < TRIES => {}
                Err(refused) => return Err(explain(&cluster, refused).await),
            }
        }
        let kind = resource.kind.to_lowercase();
        session.console.print(&format!("{kind} \"{target}\" image updated\n"));
        Ok(())
    }
}

async fn fetch(cluster: &Cluster, resource: Resource, name: &str) -> Result<Value, Failure> {
    match cluster.get(resource, name).await {
        Ok(object) => Ok(object),
        Err(refused) => Err(explain(cluster, refused).await),
    }
}

/// The object that holds the template: the Rollout, or the Deployment that it refers to.
async fn target(cluster: &Cluster, name: &str) -> Result<(Resource, String), Failure> {
    let rollout = fetch(cluster, ROLLOUTS, name).await?;
    match rollout.pointer("/spec/workloadRef") {
        None | Some(Value::Null) => Ok((ROLLOUTS, name.to_owned())),
        Some(workload) => match workload.get("name") {
            Some(Value::String(deployment)) => Ok((DEPLOYMENTS, deployment.clone())),
            other => {
                let found = other.unwrap_or(&Value::Null);
                Err(Failure::new(format!("spec.workloadRef.name is not a string: {found}")))
            }
        },
    }
}

/// Works on the stored JSON, so that no field is lost that this code does not know.
fn set_image(object: &mut Value, container: &str, image: &str) -> Result<(), Failure> {
    let (mut found, mut known) = (false, Vec::new());
    for list in LISTS {
        let containers = object.pointer_mut(&format!("/spec/template/spec/{list}")).and_then(Value::as_array_mut);
        for entry in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            let name = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if container == "*" || name == container {
                entry.insert("image".to_owned(), image.into());
                found = true;
            }
            known.push(name);
        }
    }
    if found {
        return Ok(());
    }
    let failure = Failure::new(format!("unable to find container named \"{container}\""));
    Err(failure.next(format!("The template has: {}", known.join(", "))))
}

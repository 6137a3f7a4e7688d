//! The scenes: what is set up, what is ordered, and what should come of it.

use std::time::Duration;

use crate::sim::traffic::{Load, Target};

/// The gateway, which all scenes share.
pub const GATEWAY: &str = include_str!("manifests/gateway.yaml");
const SHOP: &str = include_str!("manifests/shop.yaml");
const SHOP_V3: &str = include_str!("manifests/shop-v3.yaml");
const CART: &str = include_str!("manifests/cart.yaml");

/// Requests a second of the users of one scene.
pub const USERS: f64 = 200.0;
/// Where everything lives.
pub const NAMESPACE: &str = "default";

/// Which scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Letter {
    /// A canary that is promoted by itself
    A,
    /// A bad release that is aborted
    B,
    /// Blue-green with an approval, and back
    C,
}

impl Letter {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// `a`, `b`, `c`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
        }
    }

    /// What it is about, for a narrow column.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::A => "canary",
            Self::B => "bad release",
            Self::C => "blue-green",
        }
    }
}

/// How a scene is expected to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The new version serves everybody.
    Promoted,
    /// The new version was taken back by the controller.
    Aborted,
    /// The new version served everybody, and was taken back by a person.
    Undone,
}

impl Ending {
    /// For the closing table and for JSON.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::Undone => "undone",
        }
    }
}

/// An order, given as a person would give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A command of this CLI.
    Command(&'static [&'static str]),
    /// A merge patch, in YAML, of the scene's Rollout; with what a person would have typed.
    Patch(&'static str, &'static str),
    /// A command that a person is asked to confirm.
    Confirmed(&'static [&'static str]),
}

/// What has to be seen before the scene goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Healthy, every user is served by this version.
    Serving(&'static str),
    /// The same, and no pod of another version is left.
    Alone(&'static str),
    /// The new version is complete and waits for a person; users are all served by this, older version.
    Waiting(&'static str),
    /// The update was aborted, every user is served by this version, and no pod of another is left.
    Aborted(&'static str),
}

/// One order and its effect.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// What is going on, for a reader who sees it for the first time.
    pub say: &'static str,
    /// What is done.
    pub deed: Deed,
    /// What is waited for.
    pub goal: Goal,
    /// How long the result stays in view, by the cluster's clock.
    pub linger: Duration,
}

/// One release.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Which one.
    pub letter: Letter,
    /// What it shows.
    pub title: &'static str,
    /// The Rollout.
    pub rollout: &'static str,
    /// The version that serves when the scene begins.
    pub first: &'static str,
    /// The Rollout and what it needs, at version `v1`.
    pub manifests: &'static str,
    /// Where users send their requests.
    pub target: Target,
    /// What happens.
    pub script: Vec<Beat>,
    /// How it should end.
    pub ending: Ending,
    /// The longest that one beat may take, by the cluster's clock.
    pub limit: Duration,
}

impl Scene {
    /// The scene of a letter.
    pub fn of(letter: Letter) -> Self {
        match letter {
            Letter::A => canary(),
            Letter::B => bad_release(),
            Letter::C => blue_green(),
        }
    }

    /// The users of this scene.
    pub fn users(&self) -> Load {
        Load::to(self.target.clone(), USERS)
    }
}

/// All manifests as they are applied, for a reader.
pub fn manifests() -> String {
    let patch: Vec<&str> = SHOP_V3.lines().collect();
    let patch = patch.join("\n# ");
    format!("{GATEWAY}---\n{SHOP}---\n# Scene b patches the Rollout `shop`:\n# {patch}\n---\n{CART}")
}

const LIMIT: Duration = Duration::from_secs(40);
const A_MOMENT: Duration = Duration::from_millis(1500);

fn shop_route() -> Target {
    Target::Route((NAMESPACE.to_owned(), "shop".to_owned()))
}

fn canary() -> Scene {
    Scene {
        letter: Letter::A,
        title: "A canary that promotes itself",
        rollout: "shop",
        first: "v1",
        manifests: SHOP,
        target: shop_route(),
        script: vec![Beat {
            say: "v2 gets 10 % of the users, then 50 %, then all, as long as Prometheus sees 97 % good answers.",
            deed: Deed::Command(&["set", "image", "shop", "web=example.com/shop:v2"]),
            goal: Goal::Alone("v2"),
            linger: A_MOMENT,
        }],
        ending: Ending::Promoted,
        limit: LIMIT,
    }
}

fn bad_release() -> Scene {
    Scene {
        letter: Letter::B,
        title: "A bad release that is taken back",
        rollout: "shop",
        first: "v2",
        manifests: SHOP,
        target: shop_route(),
        script: vec![Beat {
            say: "v3 answers 8 % of its requests with an error. Nobody but the analysis is watching.",
            deed: Deed::Patch(SHOP_V3, "kubectl patch rollout shop --type merge --patch-file shop-v3.yaml"),
            goal: Goal::Aborted("v2"),
            linger: A_MOMENT,
        }],
        ending: Ending::Aborted,
        limit: LIMIT,
    }
}

fn blue_green() -> Scene {
    Scene {
        letter: Letter::C,
        title: "Blue-green with an approval, and back",
        rollout: "cart",
        first: "v1",
        manifests: CART,
        target: Target::Service((NAMESPACE.to_owned(), "cart".to_owned())),
        script: vec![
            Beat {
                say: "v2 comes up beside v1, at full size, behind the Service cart-preview. No user sees it yet.",
                deed: Deed::Command(&["set", "image", "cart", "web=example.com/cart:v2"]),
                goal: Goal::Waiting("v1"),
                linger: A_MOMENT,
            },
            Beat {
                say: "Approved: all users move to v2 at once. v1 stays for some seconds, in case.",
                deed: Deed::Confirmed(&["promote", "cart"]),
                goal: Goal::Serving("v2"),
                linger: Duration::from_millis(700),
            },
            Beat {
                say: "Second thoughts: undo. v1 still runs, so users are back at once, without another approval.",
                deed: Deed::Command(&["undo", "cart"]),
                goal: Goal::Alone("v1"),
                linger: A_MOMENT,
            },
        ],
        ending: Ending::Undone,
        limit: LIMIT,
    }
}

//! Routes and endpoints reach the data plane in any order, each with a lag of its own: nobody is lost.

use super::{Options, done, faults, sample};

/// Seconds that a changed route takes to be in force, and changed endpoints.
const ROUTES: [u32; 3] = [0, 3, 25];
const ENDPOINTS: [u32; 4] = [0, 3, 12, 29];

fn lost(name: &str, options: &Options) -> u64 {
    done(name, &sample(name, &[]), options).total.lost
}

fn lags(routes: u32, endpoints: u32) -> Vec<String> {
    let routed = (routes > 0).then(|| format!("gateway-lag={routes}s"));
    let led = (endpoints > 0).then(|| format!("endpoint-lag={endpoints}s"));
    routed.into_iter().chain(led).collect()
}

#[test]
fn no_order_of_weights_and_endpoints_loses_a_request() {
    for routes in ROUTES {
        for endpoints in ENDPOINTS {
            for verdict in ["", "errors=canary:20%@6m"] {
                let lags = lags(routes, endpoints);
                let texts: Vec<&str> =
                    lags.iter().map(String::as_str).chain([verdict]).filter(|t| !t.is_empty()).collect();
                let lost = lost("canary-gateway-prometheus.yaml", &faults(&texts));
                assert_eq!(lost, 0, "{texts:?}");
            }
        }
    }
}

#[test]
fn a_switch_that_endpoints_follow_late_loses_no_request() {
    for endpoints in ENDPOINTS {
        let lags = lags(0, endpoints);
        let texts: Vec<&str> = lags.iter().map(String::as_str).collect();
        assert_eq!(lost("blue-green.yaml", &faults(&texts)), 0, "{texts:?}");
    }
}

#[test]
fn endpoints_that_come_after_the_declared_delay_do() {
    // A data plane that shows nothing of what it has programmed can be waited for only by the clock.
    assert!(lost("blue-green.yaml", &faults(&["endpoint-lag=90s"])) > 0);
}

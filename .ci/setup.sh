# Sourced by ./serve and ./test: what they need, set up on first use and at once when it is there.
#   . .ci/setup.sh; need rust; need wasm; need browser; build_site
# Every action that takes time is announced. All that is built or fetched lies under $CACHE, outside the clone, so that a
# fresh clone on the same machine builds warm. Packages of the system are touched only through apt, as root or by sudo.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/lookahead
TOOLS=$CACHE/tools-root
# shellcheck disable=SC2034
NATIVE_TARGET=$CACHE/native
WASM_TARGET=$CACHE/wasm
TRUNK=0.21.14
SPLIT=0.2.4
# Settings of the wasm build alone, filled by wasm_target.
WASM_ENV=()

mkdir -p "$CACHE"
[ -d "$HOME/.cargo/bin" ] && PATH=$PATH:$HOME/.cargo/bin
PATH=$TOOLS/bin:$PATH

say() { printf '→ %s\n' "$*" >&2; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a step with its output kept in a log, and shows the log's end only if the step fails.
quietly() {
  local log=$CACHE/setup.log
  "$@" >"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; return 1; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else return 1; fi
}

# apt_install PACKAGE… : installs Debian or Ubuntu packages, or says what to install by hand.
apt_install() {
  have apt-get || fail "This needs: $*. There is no apt here; install them with your system's package manager, then run this again."
  if [ "$(id -u)" != 0 ] && ! have sudo; then fail "This needs the packages: $*. Run 'apt-get install $*' as root, then run this again."; fi
  say "installing $* with apt (about a minute)"
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" && return
  say "reading apt's package lists first (half a minute)"
  quietly as_root apt-get update || true
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
    fail "apt could not install: $*. The lines above say why; once that is mended, run this again."
}

need() {
  case $1 in
    rust) rust_toolchain ;;
    lints) rust_component clippy; rust_component rustfmt ;;
    wasm) rust_toolchain; wasm_target; wasm_bindgen; split_tool; trunk_tool ;;
    node) node_runtime ;;
    browser) node_runtime; browser_program; browser_modules ;;
    firefox) firefox_program ;;
    vulkan) software_vulkan ;;
    schedulers) schedulers ;;
    *) fail "setup.sh knows nothing called $1" ;;
  esac
}

rust_toolchain() {
  have cargo || fail "Rust is not installed. Install it with rustup (any platform), then run this again."
  have cc || apt_install gcc libc6-dev
}

rust_component() {
  cargo "${1/rustfmt/fmt}" --version >/dev/null 2>&1 && return
  say "adding $1 to the Rust toolchain (some seconds)"
  quietly rustup component add "$1" || fail "rustup could not add $1; it is needed by ./test."
}

# The standard library for WebAssembly: rustup's, or where rustup's server does not answer, one built from Debian's sources.
wasm_target() {
  if [ -z "${LOOKAHEAD_WASM_FALLBACK:-}" ]; then
    compgen -G "$(rustc --print target-libdir --target wasm32-unknown-unknown)/libstd-*.rlib" >/dev/null && return
    if have rustup; then
      say "adding the WebAssembly target with rustup (half a minute)"
      # shellcheck disable=SC2046
      quietly $(have timeout && echo timeout 180) rustup target add wasm32-unknown-unknown && return
      say "rustup's server does not answer: taking Debian's compiler for the WebAssembly part instead"
    fi
  fi
  wasm_target_from_debian
}

wasm_target_from_debian() {
  local linker library
  if ! [ -x /usr/bin/rustc ] || ! compgen -G '/usr/bin/wasm-ld-*' >/dev/null || ! compgen -G '/usr/lib/rustlib/src/rust/library/std' >/dev/null; then
    have apt-get || fail "The WebAssembly target is missing: run 'rustup target add wasm32-unknown-unknown', then run this again."
    apt_install rustc-web cargo-web rust-web-src lld-22
  fi
  linker=$(compgen -G '/usr/bin/wasm-ld-*' | sort -V | tail -n 1)
  if have rustup && ! rustup toolchain list | grep -q '^debian'; then
    rustup toolchain link debian /usr
  fi
  WASM_ENV=(RUSTUP_TOOLCHAIN=debian "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker")
  library=$(/usr/bin/rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib
  compgen -G "$library/libstd-*.rlib" >/dev/null && return
  say "building the standard library for WebAssembly, once (about a minute)"
  local seed=$CACHE/std-seed
  rm -rf "$seed" && mkdir -p "$seed/src"
  printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n[profile.release]\npanic = "abort"\n' >"$seed/Cargo.toml"
  : >"$seed/src/lib.rs"
  (
    cd "$seed" && unset RUSTFLAGS
    # Bitcode is kept, so that link-time optimisation can be switched on later.
    quietly env "${WASM_ENV[@]}" RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$seed/target" \
      /usr/bin/cargo build --release -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown
  ) || fail "The standard library for WebAssembly could not be built; the lines above say why."
  as_root mkdir -p "$library" || fail "Copying the WebAssembly standard library to $library needs root: run this once as root or install sudo."
  as_root cp "$seed"/target/wasm32-unknown-unknown/release/deps/*.rlib "$library"/
  as_root rm -f "$library"/libseed-*.rlib
  rm -rf "$seed"
}

# The version of a package in Cargo.lock.
locked() {
  awk -v package="\"$1\"" '$1 == "name" { found = ($3 == package) } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"
}

# wasm-bindgen must be of exactly the version that the program was linked with.
wasm_bindgen() {
  local version
  version=$(locked wasm-bindgen)
  [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ] && return
  archived_tool wasm-bindgen "$version" && return
  # It reads and writes a module of many megabytes: optimising the parts that do is worth it, the rest is not.
  cargo_tool wasm-bindgen-cli "$version" "a minute or two" --bin wasm-bindgen --config 'profile.dev.package.walrus.opt-level=1' \
    --config 'profile.dev.package.wasmparser.opt-level=1' --config 'profile.dev.package.wasm-encoder.opt-level=1'
}

# Splits the page's program: see src/page/split.rs.
split_tool() {
  [ "$(cat "$TOOLS/wasm_split_cli.version" 2>/dev/null)" = "$SPLIT" ] && have wasm-split-cli && return
  cargo_tool wasm_split_cli_support "$SPLIT" "a minute" --locked --features build-binary
  printf '%s' "$SPLIT" >"$TOOLS/wasm_split_cli.version"
}

trunk_tool() {
  case $(trunk --version 2>/dev/null) in "trunk ${TRUNK%.*}."*) return ;; esac
  archived_tool trunk "$TRUNK" && return
  # Its defaults are for downloading other tools, which are set up here.
  cargo_tool trunk "$TRUNK" "two to four minutes" --locked --no-default-features
}

# archived_tool TOOL VERSION: takes the tool from its project's release archive, if .ci/archives names one for this system, its host answers, and its
# hash is the one listed. Otherwise the caller builds it.
archived_tool() {
  local tool=$1 version=$2 url hash folder=$CACHE/archive sum=(sha256sum)
  have sha256sum || sum=(shasum -a 256)
  read -r url hash < <(awk -v tool="$tool" -v version="$version" -v host="$(uname -s)-$(uname -m)" \
    '$1 == tool && $2 == version && $3 == host { print $4, $5 }' "${ARCHIVES:-$ROOT/.ci/archives}") || return 1
  have curl || return 1
  rm -rf "$folder" && mkdir -p "$folder/out" "$TOOLS/bin"
  say "fetching $tool $version (some seconds)"
  if ! curl --fail --location --silent --connect-timeout 10 --max-time 180 --output "$folder/archive.tar.gz" "$url"; then
    say "$url does not answer"
    return 1
  fi
  if [ "$("${sum[@]}" <"$folder/archive.tar.gz" | cut -d ' ' -f 1)" != "$hash" ]; then
    say "$url is not the archive whose hash .ci/archives lists: it is not used"
    return 1
  fi
  tar -xzf "$folder/archive.tar.gz" -C "$folder/out" && find "$folder/out" -type f -name "$tool" -exec install {} "$TOOLS/bin/$tool" \; && "$TOOLS/bin/$tool" --version >/dev/null
}

# cargo_tool CRATE VERSION HOW-LONG [OPTIONS OF cargo install]: built without optimisation, which takes a third of the time.
cargo_tool() {
  local crate=$1 version=$2 long=$3
  shift 3
  if have cargo-binstall; then
    say "fetching $crate $version with cargo-binstall (some seconds)"
    quietly cargo binstall --no-confirm --root "$TOOLS" "$crate@$version" && return
  fi
  say "building $crate $version, once (about $long on two cores)"
  quietly env -u RUSTUP_TOOLCHAIN CARGO_TARGET_DIR="$CACHE/tools" CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_OPT_LEVEL=0 \
    CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false CARGO_INCREMENTAL=0 \
    cargo install --debug --force --root "$TOOLS" "$crate" --version "$version" "$@" || fail "$crate $version could not be built; the lines above say why."
  rm -rf "$CACHE/tools"
}

node_runtime() {
  node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null && have npm && return
  apt_install nodejs npm
  node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' || fail "Node.js 18 or newer is needed, and apt has $(node --version): install a newer one."
}

# Exports CHROMIUM, the browser that the tests drive.
browser_program() {
  local name
  if [ -n "${CHROMIUM:-}" ]; then
    have "$CHROMIUM" || fail "CHROMIUM is set to $CHROMIUM, which cannot be run: set it to a Chromium or Chrome, or unset it."
    return
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
    if have "$name"; then CHROMIUM=$(command -v "$name"); break; fi
  done
  if [ -z "${CHROMIUM:-}" ]; then apt_install chromium fonts-dejavu-core; CHROMIUM=$(command -v chromium) || fail "apt installed no chromium: install one and set CHROMIUM to it."; fi
  export CHROMIUM
}

# A second browser, for the tests of storage; where there is none they say that they were not run. Exports FIREFOX.
firefox_program() {
  if [ -z "${FIREFOX:-}" ] && ! have firefox-esr && ! have firefox && have apt-get; then
    (apt_install firefox-esr) || say "no Firefox here: the tests of storage run in Chromium alone"
  fi
  FIREFOX=${FIREFOX:-$(command -v firefox-esr || command -v firefox || true)}
  export FIREFOX
}

# A software adapter for the graphics engine's native tests; where there is none they say that they were not run.
software_vulkan() {
  if compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || ! have apt-get; then return; fi
  if [ "$(id -u)" != 0 ] && ! have sudo; then say "no Vulkan driver here: the graphics engine's native tests will not run"; return; fi
  apt_install mesa-vulkan-drivers
}

# For tests/cluster.sh, which says what it did not run.
schedulers() {
  # The test starts Slurm as root; nobody else needs its services.
  if [ "$(id -u)" != 0 ] || ! have apt-get || { have parallel && [ -x /usr/sbin/slurmctld ]; }; then return; fi
  (apt_install slurmctld slurmd slurm-client parallel) || say "no Slurm or GNU parallel here: tests/cluster.sh runs without what is missing"
}

browser_modules() {
  local folder=$ROOT/tests/browser
  [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return
  say "fetching the browser driver, puppeteer-core (some seconds)"
  quietly npm ci --prefix "$folder" --cache "$CACHE/npm" --prefer-offline --no-audit --no-fund || fail "npm could not fetch what tests/browser/package-lock.json names."
}

# build_here TARGET: has the next build into this folder compile this clone's own code. cargo tells clones of one package apart by the times of
# their files alone, so a clone whose files are older than the last build of another would be given the other's programs.
build_here() {
  mkdir -p "$1"
  [ "$(cat "$1/built-from" 2>/dev/null)" = "$ROOT" ] && return
  find "$ROOT/src" "$ROOT/tests" -name '*.rs' -exec touch {} +
  printf '%s' "$ROOT" >"$1/built-from"
}

# Builds the site into dist/.
build_site() {
  local long="a few minutes on two cores the first time, seconds later"
  if [ -d "$WASM_TARGET/wasm32-unknown-unknown" ]; then long="seconds to a minute: most of it is there already"; fi
  say "building the page and the worker into dist/ ($long)"
  build_here "$WASM_TARGET"
  # trunk cannot read NO_COLOR=1.
  (cd "$ROOT" && env -u NO_COLOR ${WASM_ENV[@]+"${WASM_ENV[@]}"} CARGO_TARGET_DIR="$WASM_TARGET" PARTS="$WASM_TARGET/parts" \
    WASM_BINDGEN="$(command -v wasm-bindgen)" PATH="$ROOT/.ci/bin:$PATH" trunk build --release) || fail "The site could not be built; the lines above say why."
}

/* SPDX-License-Identifier: MIT
 *
 * Settings of Nix (and what its relatives added) that change nothing here, each with what is so instead.  A nix.conf that has
 * them is in order and is read without a word; who writes one on a command line is told.
 */
#include "config.h"
#include "cli/settings_int.h"

#include <stddef.h>
#include <string.h>

#define BY_ITSELF "gx finds a size of its own"
#define ALWAYS_SO "gx always does"
#define NEVER_SO "gx never does"

static const struct known_setting settings[] = {
	{ "allow-new-privileges", 1, NEVER_SO " let builders gain privileges" },
	{ "allow-symlinked-store", 1, "--store and --store-dir say where the store is" },
	{ "allow-unsafe-native-code-during-evaluation", 1, NEVER_SO " load code into an evaluation" },
	{ "allowed-impure-host-deps", 0, "it is of macOS" },
	{ "auto-allocate-uids", 1, "builders are users of their own namespace" },
	{ "bash-prompt", 0, "gx develop keeps your shell and its prompt" },
	{ "bash-prompt-prefix", 0, "gx develop keeps your shell and its prompt" },
	{ "bash-prompt-suffix", 0, "gx develop keeps your shell and its prompt" },
	{ "build-hook", 0, "gx itself talks to the machines of 'builders'" },
	{ "build-poll-interval", 0, "gx waits for locks without asking again" },
	{ "build-users-group", 0, "builders are users of their own namespace" },
	{ "compress-build-log", 1, ALWAYS_SO " compress logs" },
	{ "darwin-log-sandbox-violations", 1, "it is of macOS" },
	{ "debugger-on-trace", 1, "gx has no debugger" },
	{ "debugger-on-warn", 1, "gx has no debugger" },
	{ "diff-hook", 0, "--rebuild says what differs" },
	{ "download-attempts", 0, "gx tries again until a transfer makes no progress" },
	{ "download-buffer-size", 0, BY_ITSELF },
	{ "download-speed", 0, "gx takes what there is" },
	{ "enable-core-dumps", 1, NEVER_SO " dump the core of builders" },
	{ "enforce-determinism", 1, "--rebuild compares" },
	{ "eval-attrset-update-layer-rhs-threshold", 0, BY_ITSELF },
	{ "eval-cores", 0, "one thread evaluates" },
	{ "external-builders", 0, "gx runs the builders of this machine only" },
	{ "extra-platforms", 0, "gx knows what this machine runs" },
	{ "filter-syscalls", 1, ALWAYS_SO " filter system calls" },
	{ "fsync-metadata", 1, ALWAYS_SO " sync what is valid" },
	{ "fsync-store-paths", 1, ALWAYS_SO " sync what is valid" },
	{ "gc-reserved-space", 0, "gx needs no space to collect garbage" },
	{ "http2", 1, "HTTP/2 is spoken where the server does" },
	{ "id-count", 0, "builders are users of their own namespace" },
	{ "ignore-try", 1, "gx has no debugger" },
	{ "ignored-acls", 0, "objects of the store have no attributes" },
	{ "impersonate-linux-26", 1, NEVER_SO " pretend to be an old kernel" },
	{ "impure-env", 0, "impureEnvVars are taken from the environment" },
	{ "keep-build-log", 1, ALWAYS_SO " keep logs" },
	{ "keep-env-derivations", 1, "profiles keep what they need" },
	{ "lazy-locks", 1, ALWAYS_SO " lock whole" },
	{ "lazy-trees", 1, ALWAYS_SO " copy trees only when they are needed" },
	{ "mounted-ssh-ng-store", 0, "gx mounts no stores of others" },
	{ "nar-buffer-size", 0, BY_ITSELF },
	{ "netrc-access", 0, "netrc-file says where passwords are" },
	{ "plugin-files", 0, NEVER_SO " load code" },
	{ "pre-build-hook", 0, "gx runs no hooks" },
	{ "preallocate-contents", 1, BY_ITSELF },
	{ "print-missing", 1, "--dry-run says what would be built" },
	{ "repl-overlays", 0, "the REPL has :l" },
	{ "require-drop-supplementary-groups", 1, ALWAYS_SO " drop groups where it has any" },
	{ "run-diff-hook", 1, "--rebuild says what differs" },
	{ "sandbox-build-dir", 0, "builders see theirs as /build" },
	{ "sandbox-dev-shm-size", 0, BY_ITSELF },
	{ "sandbox-fallback", 1, "the setting 'sandbox' says it" },
	{ "ssl-cert-file", 0, "SSL_CERT_FILE and NIX_SSL_CERT_FILE name certificates" },
	{ "stalled-download-timeout", 0, "gx gives up a transfer that stands still for a minute" },
	{ "start-id", 0, "builders are users of their own namespace" },
	{ "store", 0, "--store says which" },
	{ "sync-before-registering", 1, ALWAYS_SO },
	{ "trust-tarballs-from-git-forges", 1, "locks say what a tarball has to be" },
	{ "upgrade-nix-store-path-url", 0, "gx does not upgrade itself" },
	{ "use-case-hack", 1, "it is of macOS" },
	{ "use-cgroups", 1, "builders are killed by their process namespace" },
	{ "use-sqlite-wal", 1, ALWAYS_SO },
	{ "user-agent-suffix", 0, "gx calls itself gx" },
};

static const char *const aliases[][2] = {
	{ "binary-cache-public-keys", "trusted-public-keys" },
	{ "binary-caches", "substituters" },
	{ "build-cache-failure", "fallback" },
	{ "build-chroot-dirs", "sandbox-paths" },
	{ "build-compress-log", "compress-build-log" },
	{ "build-cores", "cores" },
	{ "build-extra-chroot-dirs", "extra-sandbox-paths" },
	{ "build-extra-sandbox-paths", "extra-sandbox-paths" },
	{ "build-fallback", "fallback" },
	{ "build-keep-log", "keep-build-log" },
	{ "build-max-jobs", "max-jobs" },
	{ "build-max-log-size", "max-build-log-size" },
	{ "build-max-silent-time", "max-silent-time" },
	{ "build-sandbox-paths", "sandbox-paths" },
	{ "build-timeout", "timeout" },
	{ "build-use-chroot", "sandbox" },
	{ "build-use-sandbox", "sandbox" },
	{ "build-use-substitutes", "substitute" },
	{ "commit-lockfile-summary", "commit-lock-file-summary" },
	{ "env-keep-derivations", "keep-env-derivations" },
	{ "extra-binary-caches", "extra-substituters" },
	{ "gc-keep-derivations", "keep-derivations" },
	{ "gc-keep-outputs", "keep-outputs" },
	{ "substitution-max-jobs", "max-substitution-jobs" },
	{ "trusted-binary-caches", "trusted-substituters" },
};

const struct known_setting *known_setting(const char *name)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

const struct known_setting *known_setting_at(size_t i)
{
	return i < sizeof settings / sizeof *settings ? &settings[i] : NULL;
}

const char *setting_of_alias(const char *name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcmp(aliases[i][0], name))
			return aliases[i][1];
	return name;
}

/* SPDX-License-Identifier: MIT
 *
 * Who a builder is outside its sandbox.
 *
 * An ordinary user's builders are that user; the namespace keeps them from everything the user has.  Root's
 * builders must never be root, nor one another: each gets a user number of its own from a range that nobody
 * has, Nix's (auto-allocate-uids: 872415232 and every 65536 after it), guarded by Nix's lock files, so that the two programs can
 * share a machine.  Inside a container that has only few numbers, a low range serves; when there is none to be
 * had at all, the caller's own user is left, as for an ordinary user.
 */
#include "config.h"
#include "base/flock.h"
#include "build/build_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	FIRST_UID = 872415232,
	SLOT_IDS = 65536,
	SLOTS = 128,
	LOW_UID = 30001, /* where FIRST_UID is not mapped: Nix's installer takes these for its build users */
};

/* 1 when this process's user namespace knows the number, for users and groups. */
static int is_mapped(unsigned long id)
{
	static const char *const maps[] = { "/proc/self/uid_map", "/proc/self/gid_map" };
	int found = 0;

	for (size_t i = 0; i < 2; i++) {
		unsigned long inside, outside, n;
		FILE *f = fopen(maps[i], "re");

		while (f && fscanf(f, "%lu %lu %lu", &inside, &outside, &n) == 3)
			if (id >= inside && id - inside < n) {
				found++;
				break;
			}
		if (f)
			fclose(f);
	}
	return found == 2;
}

int build_user_take(struct build_user *u, struct store *s, struct err *e)
{
	unsigned long first = FIRST_UID, step = SLOT_IDS;
	char name[32];
	int dir;

	*u = (struct build_user){ geteuid(), getegid(), -1 };
	if (u->uid != 0)
		return 0;
	if (!is_mapped(FIRST_UID) || !is_mapped(FIRST_UID + (unsigned long)SLOTS * SLOT_IDS)) {
		first = LOW_UID;
		step = 1;
		if (!is_mapped(LOW_UID) || !is_mapped(LOW_UID + SLOTS))
			return 0;
	}
	dir = tree_make_dirs(store_state_fd(s), "userpool2", e);
	if (dir < 0)
		return dir;
	for (unsigned i = 0; i < SLOTS; i++) {
		snprintf(name, sizeof name, "slot-%u", i);
		u->lock = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (u->lock >= 0 && !lock_fd(u->lock, LOCK_EX | LOCK_NB, NULL)) {
			u->uid = (uid_t)(first + i * step);
			u->gid = (gid_t)u->uid;
			close(dir);
			return 0;
		}
		if (u->lock >= 0)
			close(u->lock);
		u->lock = -1;
	}
	close(dir);
	return err_set(e, ERR_LIMIT, "all %d users for builders are in use", SLOTS);
}

void build_user_release(struct build_user *u)
{
	if (u->lock >= 0)
		close(u->lock);
	*u = (struct build_user){ 0, 0, -1 };
}

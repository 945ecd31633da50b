/* SPDX-License-Identifier: MIT
 *
 * Loading libraries when they are first used.  Never unloaded: threads and handlers of theirs may go on.
 */
#include "config.h"
#include "base/late.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static int load(struct late_library *lib, struct err *e)
{
	void *handle = dlopen(lib->file, RTLD_NOW | RTLD_LOCAL);
	char name[64];

	if (!handle)
		return err_set(e, ERR_IO, "cannot load the library '%s': %s", lib->file, dlerror());
	for (size_t i = 0; i < lib->n; i++) {
		snprintf(name, sizeof name, "%s%s", lib->prefix, lib->names[i]);
		if (!(lib->calls[i] = dlsym(handle, name)))
			return err_set(e, ERR_IO, "the library '%s' has no '%s'", lib->file, name);
	}
	return 0;
}

int late_load(struct late_library *lib, struct err *e)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int rc = 0;

	if (__atomic_load_n(&lib->loaded, __ATOMIC_ACQUIRE))
		return 0;
	pthread_mutex_lock(&mutex);
	if (!lib->loaded && !(rc = load(lib, e)))
		__atomic_store_n(&lib->loaded, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&mutex);
	return rc;
}

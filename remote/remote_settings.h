/* SPDX-License-Identifier: MIT
 *
 * What settings say of daemons, for the whole process; texts are borrowed for good, with blanks between their words.
 */
#ifndef REMOTE_REMOTE_SETTINGS_H
#define REMOTE_REMOTE_SETTINGS_H

struct remote_settings {
	const char *allowed_users, *trusted_users; /* NULL: the usual ones */
	const char *trusted_substituters;	   /* caches that whoever is not trusted may name; NULL: none */
	const char *builders;			   /* machines, as of remote/machines.h; NULL: the usual file */
	int builders_substitute;		   /* they ask caches for what they need, before it is sent */
	const char *own_program; /* which serves folders of stores as 'PROGRAM daemon --stdio --store …'; NULL: none */
};

extern struct remote_settings remote_settings;

#define USUAL_ALLOWED "*"
#define USUAL_TRUSTED "root"

#endif

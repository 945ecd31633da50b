/* SPDX-License-Identifier: MIT
 *
 * The SQL of the database, for db.c, which runs it.
 */
#ifndef STORE_DB_SQL_H
#define STORE_DB_SQL_H

enum statement {
	SQL_ID,
	SQL_INFO,
	SQL_ORIGIN,
	SQL_REFERENCES,
	SQL_REFERRERS,
	SQL_DERIVERS,
	SQL_OUTPUTS,
	SQL_DIGEST,
	SQL_ALL,
	SQL_INSERT,
	SQL_UPDATE,
	SQL_SET_ORIGIN,
	SQL_ADD_REF,
	SQL_ADD_OUTPUT,
	SQL_DELETE,
	SQL_START_CLEAR,
	SQL_START_ADD,
	SQL_COUNT
};

/* By enum statement. */
extern const char *const db_sql[SQL_COUNT];

/* Makes the tables when there are none. */
extern const char db_schema[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * SQL.  The tables are Nix's, comments and all, since both programs may create them first:
 *
 *     ValidPaths         id, path, hash ("sha256:<base16>" of the archive), registrationTime, deriver,
 *                        narSize, ultimate (1 or null), sigs (by spaces, or null), ca (or null)
 *     Refs               referrer, reference: ids; an object may refer to itself
 *     DerivationOutputs  drv (id), id (name of the output), path (which need not be valid)
 *
 * Nix 2.8 makes the index IndexReferrer, 2.35 drops it and notes that in a table SchemaMigrations; both kinds are
 * read here.  Its table of realisations exists only with an experimental feature and is left alone.
 */
#include "config.h"
#include "store/db_sql.h"

const char db_schema[] =
	"create table if not exists ValidPaths (\n"
	"    id               integer primary key autoincrement not null,\n"
	"    path             text unique not null,\n"
	"    hash             text not null,\n"
	"    registrationTime integer not null,\n"
	"    deriver          text,\n"
	"    narSize          integer,\n"
	"    ultimate         integer, -- null implies \"false\"\n"
	"    sigs             text, -- space-separated\n"
	"    ca               text -- if not null, an assertion that the path is content-addressed; see ValidPathInfo\n"
	");\n"
	"create table if not exists Refs (\n"
	"    referrer  integer not null,\n"
	"    reference integer not null,\n"
	"    primary key (referrer, reference),\n"
	"    foreign key (referrer) references ValidPaths(id) on delete cascade,\n"
	"    foreign key (reference) references ValidPaths(id) on delete restrict\n"
	");\n"
	"create index if not exists IndexReferrer on Refs(referrer);\n"
	"create index if not exists IndexReference on Refs(reference);\n"
	/* A reference to itself would otherwise forbid deleting the row. */
	"create trigger if not exists DeleteSelfRefs before delete on ValidPaths\n"
	"  begin\n"
	"    delete from Refs where referrer = old.id and reference = old.id;\n"
	"  end;\n"
	"create table if not exists DerivationOutputs (\n"
	"    drv  integer not null,\n"
	"    id   text not null, -- symbolic output id, usually \"out\"\n"
	"    path text not null,\n"
	"    primary key (drv, id),\n"
	"    foreign key (drv) references ValidPaths(id) on delete cascade\n"
	");\n"
	"create index if not exists IndexDerivationOutputs on DerivationOutputs(path);\n";


const char *const db_sql[SQL_COUNT] = {
	[SQL_ID] = "select id from ValidPaths where path = ?1",
	[SQL_INFO] = "select id, hash, registrationTime, deriver, narSize, ultimate, sigs, ca from ValidPaths where path = ?1",
	[SQL_ORIGIN] = "select ca, deriver from ValidPaths where path = ?1",
	[SQL_REFERENCES] = "select v.path from Refs r join ValidPaths v on r.reference = v.id "
			   "where r.referrer = (select id from ValidPaths where path = ?1)",
	[SQL_REFERRERS] = "select v.path from Refs r join ValidPaths v on r.referrer = v.id "
			  "where r.reference = (select id from ValidPaths where path = ?1)",
	[SQL_DERIVERS] = "select v.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?1",
	[SQL_OUTPUTS] =
		"select id, path from DerivationOutputs where drv = (select id from ValidPaths where path = ?1) order by id",
	/* Paths are "<dir>/<digest>-…": the first one not below "<dir>/<digest>" is it, or there is none. */
	[SQL_DIGEST] = "select path from ValidPaths where path >= ?1 limit 1",
	[SQL_ALL] = "select path from ValidPaths order by path", /* the index alone has all of it, in the order wanted */
	[SQL_INSERT] = "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca) "
		       "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_UPDATE] = "update ValidPaths set hash = ?2, narSize = ?5, ultimate = ?6, sigs = ?7, ca = ?8 where path = ?1",
	[SQL_SET_ORIGIN] = "update ValidPaths set ca = ifnull(?2, ca), deriver = ifnull(?3, deriver) where path = ?1",
	[SQL_ADD_REF] = "insert or replace into Refs (referrer, reference) values (?1, ?2)",
	[SQL_ADD_OUTPUT] = "insert or replace into DerivationOutputs (drv, id, path) values (?1, ?2, ?3)",
	[SQL_DELETE] = "delete from ValidPaths where path = ?1",
	[SQL_START_CLEAR] = "delete from temp.start",
	[SQL_START_ADD] = "insert or ignore into temp.start select id from ValidPaths where path = ?1",
};

/* SPDX-License-Identifier: MIT
 *
 * What unit_write.c and unit_read.c agree on besides unit_forms.def.
 */
#ifndef LANG_UNIT_INT_H
#define LANG_UNIT_INT_H

#include "lang/program.h"

/* Constants. */
enum unit_word {
	UNIT_NULL,
	UNIT_FALSE,
	UNIT_TRUE,
	UNIT_INT,	 /* number with its sign in the lowest bit */
	UNIT_FLOAT,	 /* 8 bytes */
	UNIT_STR,	 /* length, bytes */
	UNIT_PATH,	 /* the same */
	UNIT_EMPTY_LIST,
	UNIT_EMPTY_SET,
	UNIT_GLOBAL	 /* symbol */
};

/* In place of the op of an attribute's node: a constant follows. */
enum { UNIT_CONSTANT = OP_COUNT };

/* Where the symbols are. */
enum { UNIT_HEAD = sizeof(uint32_t) };

/* OP_UNREAD and the length; and the least that is worth it. */
enum { UNREAD_HEAD = 4, UNREAD_MIN = 32 };

/* The form of each op: a switch, so that forms are part of the function that goes from node to node.  f(name) is what to do
 * with it. */
#define UNIT_FORM_OF(op, f) \
	switch (op) { \
	case OP_CONST: f(const) \
	case OP_VAR0: case OP_VAR1: case OP_VAR2: case OP_VARN: f(var) \
	case OP_WITH_VAR: f(with_var) \
	case OP_CURPOS: f(curpos) \
	case OP_SELECT1: f(select1) \
	case OP_SELECT: case OP_HASATTR: f(select) \
	case OP_ATTRS: case OP_REC: f(attrs) \
	case OP_LIST: f(list) \
	case OP_LAMBDA: f(lambda) \
	case OP_CALL: f(call) \
	case OP_LET: f(let) \
	case OP_FRAME: f(frame) \
	case OP_WITH: f(with) \
	case OP_IF: f(if) \
	case OP_ASSERT: f(assert) \
	case OP_NOT: case OP_NEG: case OP_CHECK: f(unary) \
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: case OP_EQ: case OP_NE: case OP_LT: case OP_LE: case OP_GT: \
	case OP_GE: case OP_AND: case OP_OR: case OP_IMPL: case OP_UPDATE: case OP_CONCAT: f(binary) \
	case OP_INTERP: case OP_PATH: f(interp) \
	case OP_HEAP: f(heap) \
	case OP_CHAIN: f(chain) \
	}

#endif

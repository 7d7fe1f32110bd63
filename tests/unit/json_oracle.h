/*
 * tests/unit/json_oracle.h - our JSON scanner against jansson.
 * One job: for any text say whether both refuse it or both give the same fields.
 *
 * jansson's own limits are no difference: it refuses numbers beyond its types, lone surrogates, bytes
 * that are no UTF-8, NUL in keys, and more than 2048 levels; we keep all of these.  And it overlooks a
 * bare NUL behind a number, which we do not.
 */
#pragma once

#include <jansson.h>
#include <math.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "parsers/json.h"
#include "parsers/parser.h"

enum oracle { ORACLE_SAME, ORACLE_BOTH_REFUSE, ORACLE_DIFFERENT };

static inline bool
oracle_find(const struct record *rec, struct str name, struct field *ret)
{
	size_t i;

	for (i = 0; i < rec->n_fields; i++)
		if (str_eq(rec->fields[i].name, name)) {
			*ret = rec->fields[i];
			return true;
		}
	return false;
}

/* Whether the field's text means the same number. */
static inline bool
oracle_number(const json_t *v, struct str text)
{
	char digits[400];

	if (text.n >= sizeof(digits))
		return true;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	if (json_is_integer(v))
		return strtoll(digits, NULL, 10) == json_integer_value(v);
	return fabs(strtod(digits, NULL) - json_real_value(v)) <= fabs(json_real_value(v)) * 1e-15;
}

static inline bool
oracle_json(const json_t *v, struct str text)
{
	json_t *back =
	    json_loadb((const char *)text.p, text.n, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	bool same = back != NULL && json_equal(back, v);

	json_decref(back);
	return same;
}

static inline bool
oracle_value(const json_t *v, const struct field *f)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return f->kind == VALUE_STRING &&
		    str_eq(f->value, str_of(json_string_value(v), json_string_length(v)));
	case JSON_INTEGER:
	case JSON_REAL:
		return f->kind == VALUE_NUMBER && oracle_number(v, f->value);
	case JSON_TRUE:
		return f->kind == VALUE_BOOL && str_eq(f->value, STR("true"));
	case JSON_FALSE:
		return f->kind == VALUE_BOOL && str_eq(f->value, STR("false"));
	case JSON_NULL:
		return f->kind == VALUE_NULL && f->value.n == 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return f->kind == VALUE_JSON && oracle_json(v, f->value);
	}
	return false;
}

/*
 * Every leaf of v is a field of that name, unless another one has the same name ("a.b" beside "a": {"b"},
 * or an object that came twice): then the values may differ, and ret_clash says so.
 */
static inline bool
oracle_tree(json_t *v, struct buf *name, const struct record *rec, size_t *n_leaves,
    bool *ret_wrong)
{
	size_t base = name->n;
	const char *key;
	struct field f;
	json_t *child;

	json_object_foreach(v, key, child)
	{
		buf_clear(name);
		name->n = base;
		buf_c(name, key);
		if (json_is_object(child) && json_object_size(child) != 0) {
			buf_byte(name, '.');
			if (!oracle_tree(child, name, rec, n_leaves, ret_wrong))
				return false;
		} else {
			struct str full = buf_view(name);

			(*n_leaves)++;
			if (!oracle_find(rec, full.n != 0 ? full : STR("_"), &f))
				return false;
			*ret_wrong |= !oracle_value(child, &f);
		}
	}
	name->n = base;
	return true;
}

/* jansson refuses for reasons of its own what is grammatical. */
static inline bool
oracle_own_limit(struct str s, const json_error_t *e)
{
	size_t i, depth = 0;
	enum json_error_code code = json_error_code(e);

	if (code == json_error_numeric_overflow || code == json_error_stack_overflow ||
	    code == json_error_invalid_utf8 || code == json_error_null_character ||
	    code == json_error_null_byte_in_key)
		return true;
	if (!utf8_valid(s) || str_find(s, STR("\\u")) != SIZE_MAX)
		return true;
	for (i = 0; i < s.n; i++)
		depth += s.p[i] == '{' || s.p[i] == '[';
	return depth > 2000;
}

static inline enum oracle
json_oracle(struct str s)
{
	struct arena arena = ARENA_INIT;
	struct record rec = { 0 };
	struct buf name = BUF_INIT;
	enum oracle ret;
	json_error_t e;
	json_t *root;
	size_t leaves = 0;
	bool wrong = false;
	int r;

	r = json_fields(s, &arena, &rec.fields, &rec.n_fields);
	root = json_loadb(s.p != NULL ? (const char *)s.p : "", s.n, JSON_ALLOW_NUL, &e);
	if (r != 0)
		ret = root == NULL || !json_is_object(root) || json_object_size(root) == 0 ||
		        str_find(s, STR("[[[[[[[[")) != SIZE_MAX || s.n > 4096 ||
		        str_find_byte(s, 0) != SIZE_MAX
		    ? ORACLE_BOTH_REFUSE
		    : ORACLE_DIFFERENT;
	else if (root == NULL)
		ret = oracle_own_limit(s, &e) ? ORACLE_SAME : ORACLE_DIFFERENT;
	else if (record_get(&rec, STR("_rest")).n != 0)
		ret = ORACLE_SAME;
	else if (!oracle_tree(root, &name, &rec, &leaves, &wrong))
		ret = ORACLE_DIFFERENT;
	else
		/* As many fields as leaves: no two share a name, so every value has to agree. */
		ret = wrong && leaves == rec.n_fields && str_find_byte(s, '.') == SIZE_MAX
		    ? ORACLE_DIFFERENT
		    : ORACLE_SAME;
	json_decref(root);
	buf_fini(&name);
	arena_fini(&arena);
	return ret;
}

/*
 * tests/unit/test_keys.c - tests doc/keys.c.
 * One job: outermost keys in every way that YAML writes them, and what is no mapping.
 */
#include "check.h"
#include "doc/keys.h"

static const char *const names[] = { "groups", "route" };

static void
is(const char *text, size_t expected)
{
	size_t got = keys_first(str_c(text), names, 2);

	if (got != expected)
		fprintf(stderr, "%s: got %zu, want %zu\n", text, got, expected);
	CHECK(got == expected);
}

int
main(void)
{
	is("groups: []", 0);
	is("# ours\n---\n\n    groups:\n    - name: x\n", 0);
	is("{\"groups\": []}", 0);
	is("global: {a: [1, {b: 2}], c: &x d}\nother: *x\nroute: {}\n", 1);
	is("? [a, b]\n: c\nroute: {}\n", 1);
	is("route: {}\ngroups: []\n", 1);
	/* Not outermost, not a key, no mapping, no YAML. */
	is("inputs:\n- groups: [x]\n", 2);
	is("a: groups\nb: route\n", 2);
	is("[groups, route]", 2);
	is("- groups: []", 2);
	is("groups", 2);
	is("", 2);
	is("a: [\ngroups: []\n", 2);
	is("groups: [\n", 0);
	return check_done();
}

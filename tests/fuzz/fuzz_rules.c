/*
 * tests/fuzz/fuzz_rules.c - any bytes as a rule file.
 * One job: rules come out that can be used, or at least one line that says why not.
 */
#include <stdlib.h>

#include "alerts/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO(rules_free) struct rule_set *set = NULL;
	struct arena arena = ARENA_INIT;
	struct query *q;
	size_t i, k;
	int r = rules_parse("x.yaml", str_of(data, size), 0, &set, &errors);

	if (r > 0 && (errors.n == 0 || errors.p[errors.n - 1] != '\n'))
		abort();
	for (i = 0; r == 0 && i < set->n_groups; i++)
		for (k = 0; k < set->groups[i].n_rules; k++) {
			const struct rule *rule = &set->groups[i].rules[k];

			if (rule->name.n == 0 || rule->query == NULL || rule->window.ns < 0)
				abort();
			if (rule_query_at(rule, (struct wall){ 0 }, 0, &arena, &q) < -1000)
				abort();
		}
	arena_fini(&arena);
	return 0;
}

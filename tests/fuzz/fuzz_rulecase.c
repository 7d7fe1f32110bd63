/*
 * tests/fuzz/fuzz_rulecase.c - any bytes as a file of cases.
 * One job: cases come out, or at least one line that says why not.
 */
#include <stdlib.h>

#include "alerts/rulecase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO(case_free) struct case_file *c = NULL;
	int r = case_parse("x.yaml", str_of(data, size), &c, &errors);

	if (r == 0 && (c == NULL || c->n_tests == 0 || c->n_rule_files == 0))
		abort();
	if (r > 0 && (errors.n == 0 || errors.p[errors.n - 1] != '\n'))
		abort();
	return 0;
}

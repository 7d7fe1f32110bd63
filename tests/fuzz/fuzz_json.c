/* tests/fuzz/fuzz_json.c - any bytes as a JSON object: all CPU variants alike, and as jansson reads them. */
#include "../unit/json_oracle.h"
#include "parse_fuzz.h"
#include "parsers/json_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_variants(struct str s)
{
	uint64_t *want = malloc(JSON_INDEX_WORDS(s.n) * 2 * sizeof(*want));
	uint64_t *got = want + JSON_INDEX_WORDS(s.n);
	unsigned i;

	FUZZ_MUST(want != NULL);
	json_index_table[CPU_PORTABLE](s.p, s.n, want);
	for (i = 1; i < CPU_N_LEVELS; i++) {
		if (!cpu_can((enum cpu_level)i))
			continue;
		json_index_table[i](s.p, s.n, got);
		FUZZ_MUST(memcmp(got, want, JSON_INDEX_WORDS(s.n) * sizeof(*got)) == 0);
	}
	free(want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "json", .zone_set = true };

	check_variants(str_of(data, size));
	FUZZ_MUST(json_oracle(str_of(data, size)) != ORACLE_DIFFERENT);
	fuzz_lines(&opt, str_of(data, size));
	return 0;
}

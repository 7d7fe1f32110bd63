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
	size_t i;

	FUZZ_MUST(want != NULL);
	json_index_variants[0].fn(s.p, s.n, want);
	for (i = 1; i < json_index_n_variants; i++) {
		if (!json_index_usable(i))
			continue;
		json_index_variants[i].fn(s.p, s.n, got);
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

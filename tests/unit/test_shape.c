/*
 * tests/unit/test_shape.c - what a source does to its records.
 * One job: drop, redaction, fields and streams, with the odd values that leak secrets.
 */
#include "check.h"
#include "ingest/shape.h"

static struct shape *
make(const struct shape_options *opt)
{
	struct buf error = BUF_INIT;
	struct shape *s = NULL;

	if (shape_new(&s, opt, &error) != 0)
		fprintf(stderr, "%s\n", buf_c_str(&error));
	buf_fini(&error);
	return s;
}

static void
test_redact(void)
{
	struct shape_redaction rd[] = { { STR("token=(\\w)\\S*"), STR("token=$1**") },
		{ STR("^(a+)+$"), STR("x") } };
	struct shape_options opt = { .redactions = rd, .n_redactions = 2 };
	struct field fields[] = { { STR("_msg"),
		                      STR("x token=abc\xff"
		                          "def y token=z"),
		                      VALUE_STRING },
		{ STR("weir"), STR("outside"), VALUE_STRING },
		{ STR("evil"), STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
		    VALUE_STRING } };
	struct record rec = { .fields = fields, .n_fields = 3, .line = STR("the line") };
	struct arena arena = ARENA_INIT;
	struct shape *s = make(&opt);
	size_t n = 1;

	MUST(s != NULL);
	CHECK(shape_records(s, &rec, &n, NULL, &arena) == 0 && n == 1);
	CHECK_STR(record_get(&rec, STR("_msg")), STR("x token=a** y token=z**"));
	CHECK_STR(record_get(&rec, STR("weir_")), STR("outside"));
	CHECK_STR(record_get(&rec, STR("evil")), STR("***"));
	CHECK_STR(rec.stream, STR("{}"));
	CHECK(rec.line.n == 0);
	CHECK(shape_counts(s).n_masked == 1 && shape_counts(s).n_redacted == 2);
	(void)shape_free(s);
	arena_fini(&arena);
}

/* What one pattern leaves of one field. */
static void
check_field(struct str pattern, struct str with, const struct field *field, struct str expected)
{
	struct shape_redaction rd = { pattern, with };
	struct shape_options opt = { .redactions = &rd, .n_redactions = 1 };
	struct field f = *field;
	struct record rec = { .fields = &f, .n_fields = 1, .line = STR("the line") };
	struct arena arena = ARENA_INIT;
	struct shape *s = make(&opt);
	bool same = str_eq(field->value, expected);
	size_t n = 1;

	MUST(s != NULL);
	CHECK(shape_records(s, &rec, &n, NULL, &arena) == 0 && n == 1);
	CHECK_STR(rec.fields[0].name, field->name);
	CHECK_STR(rec.fields[0].value, expected);
	CHECK((rec.line.n != 0) == same && shape_counts(s).n_redacted == !same);
	(void)shape_free(s);
	arena_fini(&arena);
}

static void
test_redact_named(void)
{
	static const struct {
		const char *pattern, *with, *name, *value, *expected;
		enum value_kind kind;
	} cases[] = {
		/* The name may come back in the replacement or not, and stands in any case. */
		{ "token=\\S+", "token=***", "token", "abc", "***", VALUE_STRING },
		{ "token=\\S+", "***", "token", "abc", "***", VALUE_STRING },
		{ "token=\\S+", "", "token", "abc", "", VALUE_STRING },
		{ "(token=)\\S+", "$1***", "access_token", "abc", "***", VALUE_STRING },
		{ "token=\\S+", "", "access_token", "abc", "", VALUE_STRING },
		{ "(?i)token=\\S+", "token=***", "user.Token", "abc", "***", VALUE_STRING },
		{ "(?i)token=\\S+", "token=***", "TOKEN", "abc", "***", VALUE_STRING },
		{ "^token=\\S+$", "***", "token", "abc", "***", VALUE_STRING },
		{ "(?<=token=)\\S+", "***", "token", "abc", "***", VALUE_STRING },
		{ "token=\\K\\S+", "***", "token", "abc", "***", VALUE_STRING },
		{ "pin=\\d+", "***", "pin", "1234", "***", VALUE_NUMBER },
		{ "(?i)(key)=(.).*", "$1=$2**", "Key", "abc", "a**", VALUE_STRING },
		/* What stands behind the match is looked at as well. */
		{ "token=\\S+", "token=***", "token", "a b token=c d", "*** b token=*** d",
		    VALUE_STRING },
		{ "token=\\S+", "token=***", "token", "a,token=b", "***", VALUE_STRING },
		{ "[ab]=\\w", "-", "a", "1 b=2 c=3", "- - c=3", VALUE_STRING },
		/* As JSON writes it. */
		{ "\"token\":\"[^\"]*\"", "\"token\":\"***\"", "token", "abc", "***",
		    VALUE_STRING },
		{ "\"token\"\\s*:\\s*\"[^\"]*\"", "***", "user.token", "abc", "***", VALUE_STRING },
		{ "\"token\":\"[^\"]*\"", "***", "token", "a\"b", "***", VALUE_STRING },
		{ "\"card\":\"\\d{4}", "****", "card", "12345678", "****5678", VALUE_STRING },
		{ "\"pin\":\\d+", "***", "pin", "1234", "***", VALUE_NUMBER },
		/* A name is no value, and a value needs no name. */
		{ "token", "***", "token", "abc", "abc", VALUE_STRING },
		{ "token=", "***", "token", "abc", "abc", VALUE_STRING },
		{ "token=x*", "***", "token", "abc", "abc", VALUE_STRING },
		{ "=\\S+", "=***", "token", "abc", "abc", VALUE_STRING },
		{ "\"[^\"]*\"", "\"...\"", "token", "abc", "abc", VALUE_STRING },
		{ "\\btoken=\\S+", "***", "access_token", "abc", "abc", VALUE_STRING },
		{ "(\\S)\\S*@(\\S+)", "$1***@$2", "user", "ann@x.org", "a***@x.org", VALUE_STRING },
		{ "\\d", "<$0>", "n", "12", "<1><2>", VALUE_STRING },
		{ ".*", "<$0>", "n", "12", "<12><>", VALUE_STRING },
		/* Other letters; and what gives up masks. */
		{ "größe=\\S+", "größe=*", "größe", "süß", "*", VALUE_STRING },
		{ "größe=\\S+", "größe=*", "gr\xff", "12", "***", VALUE_STRING },
		{ "^n=(a+)+$", "x", "n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "***",
		    VALUE_STRING },
	};
	struct field f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = (struct field){ str_c(cases[i].name), str_c(cases[i].value), cases[i].kind };
		check_field(str_c(cases[i].pattern), str_c(cases[i].with), &f,
		    str_c(cases[i].expected));
	}
}

static void
test_stream(void)
{
	struct shape_redaction rd[] = { { STR("secret"), STR("***") } };
	struct label stream[] = { { STR("app"), STR("shop") }, { STR("user"), STR_NONE } };
	struct field more[] = { { STR("env"), STR("prod"), VALUE_STRING },
		{ STR("user"), STR("nobody"), VALUE_STRING } };
	struct shape_options opt = { stream, 2, more, 2, STR("status:=200"), rd, 1 };
	struct label labels[] = { { STR("host"), STR("h") }, { STR("file"), STR("/f") } };
	struct shape_facts facts = { labels, 2, true };
	struct field a[] = { { STR("user"), STR("secret"), VALUE_STRING } };
	struct field b[] = { { STR("status"), STR("200"), VALUE_NUMBER } };
	struct record recs[] = { { .fields = a, .n_fields = 1 }, { .fields = b, .n_fields = 1 } };
	struct arena arena = ARENA_INIT;
	struct shape *s = make(&opt);
	size_t n = 2;

	MUST(s != NULL);
	CHECK(shape_records(s, recs, &n, &facts, &arena) == 0);
	CHECK(n == 1 && shape_counts(s).n_dropped == 1);
	CHECK_STR(recs[0].stream, STR("{app=\"shop\",file=\"/f\",host=\"h\",user=\"***\"}"));
	CHECK_STR(record_get(&recs[0], STR("env")), STR("prod"));
	CHECK_STR(record_get(&recs[0], STR("user")), STR("***"));
	CHECK_STR(record_get(&recs[0], STR("host")), STR("h"));
	(void)shape_free(s);
	arena_fini(&arena);
}

static void
test_errors(void)
{
	struct shape_redaction bad[] = { { STR("("), STR("x") } };
	struct shape_redaction group[] = { { STR("a"), STR("$7") } };
	struct shape_options one = { .redactions = bad, .n_redactions = 1 };
	struct shape_options two = { .redactions = group, .n_redactions = 1 };
	struct shape_options three = { .drop = STR("a:in(") };
	struct shape *s = NULL;
	struct buf error = BUF_INIT;

	CHECK(shape_new(&s, &one, &error) == SHAPE_E_OPTION && error.n > 0);
	CHECK(shape_new(&s, &two, NULL) == SHAPE_E_OPTION);
	CHECK(shape_new(&s, &three, NULL) == SHAPE_E_OPTION);
	CHECK(s == NULL);
	buf_fini(&error);
}

int
main(void)
{
	test_redact();
	test_redact_named();
	test_stream();
	test_errors();
	return check_done();
}

/*
 * tests/unit/test_alerts_gotmpl.c - templates in labels and annotations.
 * One job: what comes out is what Prometheus prints; what cannot run is refused where it stands.
 */
#include <math.h>

#include "alerts/gotmpl.h"
#include "check.h"

static struct label label_list[] = { { STR_INIT("a.b"), STR_INIT("dotted") },
	{ STR_INIT("instance"), STR_INIT("shop-1.example.com:9100") },
	{ STR_INIT("job"), STR_INIT("shop") } };
static struct label value_list[] = { { STR_INIT("hits"), STR_INIT("12") } };
static struct label external_list[] = { { STR_INIT("host"), STR_INIT("web1") } };

static void
check(double value, const char *text, const char *want)
{
	const struct gotmpl_data data = { { label_list, 3 }, { external_list, 1 },
		{ value_list, 1 }, value };
	struct buf out = BUF_INIT, why = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct gotmpl *t = NULL;
	int r = gotmpl_parse(str_c(text), &arena, &t, &why);

	buf_c(&out, ">");
	if (r == 0)
		r = gotmpl_run(t, &data, &out, &why);
	if (r != 0)
		buf_printf(&out, "!%s", buf_c_str(&why));
	if (!str_eq_c(str_sub(buf_view(&out), 1, out.n), want))
		fprintf(stderr, "template: %s\n", text);
	CHECK_STR(str_sub(buf_view(&out), 1, out.n), str_c(want));
	buf_fini(&out);
	buf_fini(&why);
	arena_fini(&arena);
}

static void
is(const char *text, const char *want)
{
	check(3.25, text, want);
}

/* A function of the value alone. */
static void
number(const char *function, double value, const char *want)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{{ $value | %s }}", function);
	check(value, buf_c_str(&b), want);
	buf_fini(&b);
}

static void
test_text(void)
{
	is("plain", "plain");
	is("{{ $labels.job }} on {{ $labels.instance }}: {{ $value }}",
	    "shop on shop-1.example.com:9100: 3.25");
	is("{{.Labels.job}}/{{ .Value }}/{{ $externalLabels.host }}/{{ .ExternalLabels.host }}",
	    "shop/3.25/web1/web1");
	is("{{ $values.hits }} {{ .Values.hits }} {{ $labels.none }}|", "12 12 |");
	is("{{ index $labels \"a.b\" }} {{ index .Labels `job` }}", "dotted shop");
	is("{{ $labels }}", "map[a.b:dotted instance:shop-1.example.com:9100 job:shop]");
	is("a {{- 1 -}} b {{- /* note */ -}} c{{/* x */}}d", "a1bcd");
	is("a\n{{- if true }}\nb\n{{- end }}\nc", "a\nb\nc");
	is("{{ \"q\\\"\\u00e9\\n\" }}{{ `raw\\n` }}{{ 'a' }}", "q\"\xc3\xa9\nraw\\n97");
	is("{{ true }} {{ 1 }} {{ 0x1f }} {{ 1_000 }} {{ -3 }} {{ 1e3 }} {{ .5 }}",
	    "true 1 31 1000 -3 1000 0.5");
}

static void
test_blocks(void)
{
	is("{{ if gt $value 3.0 }}high{{ else }}low{{ end }}", "high");
	is("{{ if gt $value 5.0 }}a{{ else if gt $value 3.0 }}b{{ else }}c{{ end }}", "b");
	is("{{ if $labels.none }}x{{ else }}y{{ end }}", "y");
	is("{{ if and $labels.job (not $labels.none) }}x{{ end }}", "x");
	is("{{ if or $labels.none (eq $labels.job \"a\" \"shop\") }}x{{ end }}", "x");
	is("{{ range $labels }}[{{ . }}]{{ end }}", "[dotted][shop-1.example.com:9100][shop]");
	is("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
	    "a.b=dotted;instance=shop-1.example.com:9100;job=shop;");
	is("{{ range $v := .Values }}{{ $v }}{{ else }}none{{ end }}", "12");
	is("{{ with $labels.job }}<{{ . }}>{{ end }}{{ with $labels.none }}x{{ else }}-{{ end }}",
	    "<shop>-");
	is("{{ with $x := $labels.job }}{{ $x }}{{ $.Value }}{{ end }}", "shop3.25");
	is("{{ $n := 0 }}{{ range $labels }}{{ $n = 7 }}{{ end }}{{ $n }}", "7");
	is("{{ $x := \"a\" }}{{ if true }}{{ $x := \"b\" }}{{ $x }}{{ end }}{{ $x }}", "ba");
}

static void
test_functions(void)
{
	is("{{ len $labels }} {{ len \"abc\" }}", "3 3");
	is("{{ print 1 2 \"a\" 3 4 }}|{{ println 1 \"a\" }}|{{ print }}", "1 2a3 4|1 a\n|");
	is("{{ toUpper \"abC\" }} {{ toLower \"ABc\" }} {{ title \"hello big-world\" }}",
	    "ABC abc Hello Big-World");
	is("{{ $labels.instance | stripPort }} {{ stripDomain $labels.instance }} {{ stripDomain "
	   "\"10.1.2.3:80\" }} {{ stripPort \"[::1]:80\" }}",
	    "shop-1.example.com shop-1:9100 10.1.2.3:80 ::1");
	is("{{ match \"^sh\" $labels.job }} {{ match \"x\" $labels.job }}", "true false");
	is("{{ reReplaceAll \"([a-z]+)-([0-9]+).*\" \"$2/${1}\" $labels.instance }}", "1/shop");
	is("{{ parseDuration \"1h30m\" }} {{ toTime 1435065584.128 }}",
	    "5400 2015-06-23 13:19:44.128 +0000 UTC");
	is("{{ eq 1 1.0 }} {{ ne \"a\" \"b\" }} {{ lt 1 2 }} {{ le 2 2 }} {{ ge \"b\" \"a\" }}",
	    "true true true true true");
	is("{{ $value | printf \"%.1f%%\" | toUpper }}", "3.2%");
}

/* The examples of Prometheus' own documentation and tests of behaviour. */
static void
test_humanize(void)
{
	number("humanize", 0, "0");
	number("humanize", 1, "1");
	number("humanize", 1234567, "1.235M");
	number("humanize", 999.95, "1000");
	number("humanize", 0.12, "120m");
	number("humanize", -0.00001234, "-12.34u");
	number("humanize", INFINITY, "+Inf");
	number("humanize", NAN, "NaN");
	number("humanize1024", 1048576, "1Mi");
	number("humanize1024", 1, "1");
	number("humanize1024", 130000, "127ki");
	number("humanizeDuration", 0, "0s");
	number("humanizeDuration", 1, "1s");
	number("humanizeDuration", 60, "1m 0s");
	number("humanizeDuration", 3600, "1h 0m 0s");
	number("humanizeDuration", 86400, "1d 0h 0m 0s");
	number("humanizeDuration", 86400 + 3600 + 60 + 1, "1d 1h 1m 1s");
	number("humanizeDuration", -(86400 * 2 + 3600 * 3 + 60 * 4 + 5), "-2d 3h 4m 5s");
	number("humanizeDuration", 899.99, "14m 59s");
	number("humanizeDuration", .1, "100ms");
	number("humanizeDuration", .0001, "100us");
	number("humanizeDuration", .12345, "123.5ms");
	number("humanizeDuration", 1.2345, "1.234s");
	number("humanizeDuration", 12.345, "12.35s");
	number("humanizePercentage", -0.22222, "-22.22%");
	number("humanizePercentage", 0.1234567, "12.35%");
	number("humanizePercentage", 1.23456, "123.5%");
	number("humanizeTimestamp", 0, "1970-01-01 00:00:00 +0000 UTC");
	number("humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC");
	is("{{ humanize $values.hits }} {{ humanize \"1500\" }} {{ humanize 2000 }}", "12 1.5k 2k");
}

static void
test_print(void)
{
	check(1000000, "{{ $value }}", "1e+06");
	check(999999, "{{ $value }}", "999999");
	check(123456789, "{{ $value }}", "1.23456789e+08");
	check(0.0001, "{{ $value }}", "0.0001");
	check(0.00001234, "{{ $value }}", "1.234e-05");
	check(0.1 + 0.2, "{{ $value }}", "0.30000000000000004");
	check(-42, "{{ $value }}", "-42");
	check(NAN, "{{ $value }}", "NaN");
	check(-INFINITY, "{{ $value }}", "-Inf");
	check(2.5,
	    "{{ printf \"%f|%.2f|%8.3f|%-8.1f|%08.2f|%+.1f|%e|%g|%.3g|%v\" $value $value "
	    "$value $value $value $value $value $value $value $value }}",
	    "2.500000|2.50|   2.500|2.5     |00002.50|+2.5|2.500000e+00|2.5|2.5|2.5");
	is("{{ printf \"%d|%5d|%-5d|%05d|%x|%X|%o|%b|%c|%+d|%3c|%.0d|%.4d\" 42 42 42 42 42 42 42 42 42 "
	   "42 42 0 42 }}",
	    "42|   42|42   |00042|2a|2A|52|101010|*|+42|  *||0042");
	is("{{ printf \"%s|%10s|%-10s|%.2s|%q|%x|%v|%t|%v\" \"abc\" \"abc\" \"abc\" \"abc\" "
	   "\"a\\\"b\" \"abc\" \"abc\" true $labels.job }}",
	    "abc|       abc|abc       |ab|\"a\\\"b\"|616263|abc|true|shop");
	is("{{ printf \"100%%\" }}", "100%");
}

static void
test_refused(void)
{
	is("{{ $lable.x }}",
	    "!1:4: no variable $lable: there are $labels, $value, $values, "
	    "$externalLabels and those set before");
	is("{{ $Labels.x }}", "!1:4: no variable $Labels, did you mean $labels?");
	is("a\n {{ .Label.x }}",
	    "!2:5: no field .Label here: there are .Labels, .Value, .Values "
	    "and .ExternalLabels");
	is("{{ humanise $value }}", "!1:4: no function 'humanise', did you mean 'humanize'?");
	is("{{ $value.x }}", "!1:10: a number has no field .x");
	is("{{ $labels.http.status }}",
	    "!1:16: a text has no field .status; a label with dots in its name is {{ index $labels "
	    "\"a.b\" }}");
	is("{{ printf \"%d\" $value }}", "!1:11: printf: %d does not take a number: expected %.0f");
	is("{{ printf \"%f\" $labels.job }}",
	    "!1:11: printf: %f does not take a text: expected %s");
	is("{{ printf \"%s\" }}", "!1:11: printf: %s has no value: 0 stand behind the format");
	is("{{ printf \"x\" 1 }}", "!1:11: printf: 1 values stand behind a format that takes 0");
	is("{{ printf \"%y\" 1 }}",
	    "!1:11: printf: no verb %y: expected one of %v %s %q %d %x %f %e %g %t %c %%");
	is("{{ query \"up\" | first | value }}",
	    "!1:4: query: is not done here: an expression that needs two queries takes join or "
	    "union");
	is("{{ template \"x\" }}", "!1:4: template is not done here");
	is("{{ if true }}x", "!1:15: expected {{ end }}");
	is("x{{ end }}", "!1:1: {{ end }} without if, with or range");
	is("{{ $value ", "!1:11: {{ has no end: expected '}}'");
	is("{{ \"x }}", "!1:4: the quoted text has no end on this line");
	is("{{ $value | \"x\" }}", "!1:13: expected a function behind '|'");
	is("{{ range $value }}{{ end }}",
	    "!1:10: range goes over $labels or $values, found a number");
	is("{{ toUpper $value }}", "!1:12: toUpper takes a text (print makes one), found a number");
	is("{{ not }}", "!1:4: not: expected a value as value 1");
	is("{{ humanize \"x\" }}", "!humanize takes a number, found 'x'");
	is("{{ gt $value \"x\" }}", "!a number and a text cannot be compared");
	is("{{}}", "!1:3: expected a value, such as $value or $labels.job");
	is("{{ $x = 1 }}", "!1:4: $x is not set before: expected ':='");
}

/* A template cannot make more than its bound, or run for ever. */
static void
test_bounds(void)
{
	struct buf b = BUF_INIT;
	int i;

	buf_c(&b, "{{ $x := \"0123456789abcdef\" }}");
	for (i = 0; i < 20; i++)
		buf_c(&b, "{{ $x = print $x $x }}");
	is(buf_c_str(&b), "!more than 65536 bytes come out");
	buf_clear(&b);
	for (i = 0; i < 40; i++)
		buf_c(&b, "{{ range $labels }}");
	for (i = 0; i < 40; i++)
		buf_c(&b, "{{ end }}");
	is(buf_c_str(&b), "!it takes more than 100000 steps");
	buf_clear(&b);
	for (i = 0; i < 60; i++)
		buf_c(&b, "{{ if true }}");
	is(buf_c_str(&b), "!1:657: brackets and blocks stand more than 50 deep");
	buf_fini(&b);
}

int
main(void)
{
	test_text();
	test_blocks();
	test_functions();
	test_humanize();
	test_print();
	test_refused();
	test_bounds();
	return check_done();
}

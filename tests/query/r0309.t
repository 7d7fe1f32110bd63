# A dot is any one character, however many bytes it has.
log
{"_msg":"from 10.3.17.2 to web","k":"1"}
{"_msg":"from 10x3y17z2 to web","k":"2"}
{"_msg":"from 10é3€17😀2 to web","k":"3"}
{"_msg":"from 103172 to web","k":"4"}
{"_msg":"from 10..3.17.2 to web","k":"5"}
{"_msg":"took 1093917 ms","k":"6"}
{"_msg":"from 10\n3.17.2","k":"7"}
{"_msg":"FROM 10.3.17.K TO WEB","k":"8"}

query: ~"10.3.17." | sort by (k) | fields k
{"k":"1"}
{"k":"2"}
{"k":"3"}
{"k":"6"}
{"k":"8"}

query: ~"from 10.3.*web" | sort by (k) | fields k
{"k":"1"}
{"k":"2"}
{"k":"3"}

query: ~"(?i)from 10.3.17.k" | sort by (k) | fields k
{"k":"8"}

query: ~"(?s)10.3.17.2" | sort by (k) | fields k
{"k":"1"}
{"k":"2"}
{"k":"3"}
{"k":"7"}

query: k:~"[0-9]" _msg:~"17.2.t.*b" | sort by (k) | fields k
{"k":"1"}
{"k":"2"}
{"k":"3"}
{"k":"5"}

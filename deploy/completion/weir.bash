# bash completion for weir(1)
_weir()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cmd=${COMP_WORDS[1]}
	local commands="query grep tail trace fields values patterns ingest store status alerts silence why why-not rules check help version"

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		return
	fi
	case $prev in
	-s | --store)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-i | --input)
		mapfile -t COMPREPLY < <(compgen -f -W "journal: -" -- "$cur")
		return
		;;
	--alerting | --silences)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-o | --output)
		mapfile -t COMPREPLY < <(compgen -W "json text logfmt csv table raw" -- "$cur")
		return
		;;
	-p | --parser)
		mapfile -t COMPREPLY < <(compgen -W "auto json logfmt access syslog plain" -- "$cur")
		return
		;;
	-l | --level)
		mapfile -t COMPREPLY < <(compgen -W "trace debug info notice warn error crit" -- "$cur")
		return
		;;
	esac
	case $cur in
	-*)
		# The help of a command lists its options, so they stand in one place.
		mapfile -t COMPREPLY < <(compgen -W "$(weir help "$cmd" 2>/dev/null |
			grep -oE -- '--[a-z-]+' | sort -u)" -- "$cur")
		return
		;;
	esac
	case $cmd in
	store) mapfile -t COMPREPLY < <(compgen -W "stats verify seal merge upgrade" -- "$cur") ;;
	rules)
		if [ "$COMP_CWORD" -eq 2 ]; then
			mapfile -t COMPREPLY < <(compgen -W "test backtest lint" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	alerts) mapfile -t COMPREPLY < <(compgen -W "outbox" -- "$cur") ;;
	silence) mapfile -t COMPREPLY < <(compgen -W "add list expire" -- "$cur") ;;
	help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
	values) mapfile -t COMPREPLY < <(compgen -W "$(weir query --output csv '* | field_names | fields name' \
		2>/dev/null | tail -n +2)" -- "$cur") ;;
	ingest | check | grep) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}
complete -o filenames -F _weir weir

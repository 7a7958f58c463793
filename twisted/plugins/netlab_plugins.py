"""The daemons that `twistd` finds: one line each, strings only, so that listing them imports none of them."""

from twisted.application.service import ServiceMaker

netlab_calc = ServiceMaker("netlab-calc", "netlab.calc.tap", "A calculator that answers with its steps.", "netlab-calc")
netlab_proxy = ServiceMaker(
    "netlab-proxy", "netlab.proxy.tap", "A caching proxy before calculators, truthful about every answer.", "netlab-proxy"
)
netlab_upper = ServiceMaker(
    "netlab-upper", "netlab.upper.tap", "Uppercase servers, to watch TCP by.", "netlab-upper"
)
netlab_web = ServiceMaker("netlab-web", "netlab.web.tap", "A file server that shows what HTTP does.", "netlab-web")
netlab_ping = ServiceMaker("netlab-ping", "netlab.icmp.tap", "Pings hosts and logs the fate of every request.", "netlab-ping")
netlab_watchdog = ServiceMaker("netlab-watchdog", "netlab.watchdog.tap", "A watchdog that ends what has stopped answering.", "netlab-watchdog")

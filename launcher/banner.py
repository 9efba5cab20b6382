"""What is said when everything runs: where it is, what to try, how to stop."""

from launcher.plan import DEMO_KEY, Plan
from launcher.tell import paint
from shared.park_file import ParkFile


def banner(plan: Plan, park: ParkFile, key: str, took_s: float) -> str:
    """The closing lines of a start."""
    options = plan.options
    page = options.page
    api = f"{page}/api/v1"
    ask = 'curl -s -H "Authorization: Bearer $KEY"'
    rule = paint("─" * 78, "32")
    services = ", ".join(f"{name} 127.0.0.1:{port}" for name, port in plan.ports.items())
    stores = (
        "embedded | 内嵌" if plan.postgres else "yours | 外部",
        "embedded | 内嵌" if plan.valkey else "yours | 外部",
    )
    return "\n".join(
        (
            "",
            rule,
            f"  {paint('Fenceline runs', '32;1')} | {paint('Fenceline 已启动', '32;1')}   ({took_s:.1f} s)",
            "",
            f"  page | 页面          {paint(page, '1;4')}",
            f"  park | 园区          {park.park.name.zh} | {park.park.name.en}",
            f"  HJ 212               {options.hj212_host}:{options.hj212_port}",
            f"  services | 服务      {services}",
            f"  PostgreSQL           {stores[0]}",
            f"  Redis                {stores[1]}",
            f"  logs | 日志          {plan.workspace.folder / 'logs'}",
            f"  API key | API 密钥   {plan.workspace.secret_file(DEMO_KEY)}",
            "",
            "  Try next | 接下来可以试试",
            f"    KEY={key}",
            f'    {ask} "{api}/parks/{park.park.id}/alarms?state=open"',
            f'    {ask} "{api}/parks/{park.park.id}/latest"',
            f'    {ask} -N "{api}/events?park_id={park.park.id}&kind=alarm,run"',
            f"    {page}/docs",
            "",
            *_about_simulator(plan),
            "  Stop: Ctrl-C | 停止：按 Ctrl-C",
            rule,
            "",
        )
    )


def _about_simulator(plan: Plan) -> tuple[str, ...]:
    if not plan.options.simulator:
        return (
            "  No simulator: send readings to the HJ 212 port or the API | 未启动模拟器：请向 HJ 212 端口或 API 送数",
            "",
        )
    return (
        "  In about a minute a release begins somewhere in the park: watch the page",
        "  约一分钟后园区某处将发生泄漏：请看页面",
        "",
    )

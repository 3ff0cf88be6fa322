"""The routes of a plug-in for tests.

This is not in the description.
"""

from flask import Blueprint, request

from api.extending import cluster

probe = Blueprint("probe", __name__, url_prefix="/probe")


@probe.post("/echo")
def echo():
    """Get back what was sent
    ---
    requestBody:
      content:
        application/json:
          schema: {}
    responses:
      200: {description: The same.}
    """
    with cluster(timeout=5) as n:
        return n.probe.echo(request.get_json())


@probe.get("/<service>/<method>/<float:timeout>")
def call(service, method, timeout):
    """Call a method of a service
    ---
    parameters:
      - {name: service, in: path, required: true, schema: {type: string}}
      - {name: method, in: path, required: true, schema: {type: string}}
      - {name: timeout, in: path, required: true, schema: {type: number}}
    responses:
      200: {description: What it gives.}
    """
    with cluster(timeout, refusals={"NotThere": 404}) as n:
        return {"result": getattr(n[service], method)(*request.args.getlist("argument", type=_number))}


def _number(text):
    return float(text) if text.replace(".", "").isdigit() else text

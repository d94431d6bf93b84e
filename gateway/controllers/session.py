"""`/api/v1/session`: log in, who am I, log out."""

from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from gateway.bodies import LoginBody, UserBody
from gateway.controllers.common import AnyRequest, caller_of, services_of, visitor_of
from gateway.cookies import clear_cookie, set_cookie


class SessionController(Controller):
    """The visitor's own session."""

    path = "/session"
    tags = ("session",)

    @post(summary="Log in", status_code=HTTP_201_CREATED)
    async def log_in(self, request: AnyRequest, data: JSONBody[LoginBody]) -> Response[UserBody]:
        """Begin a session; its id comes as a cookie. A session that was there before ends."""
        services = services_of(request)
        token, found = await services.logins.log_in(
            data.username, data.password, caller_of(request)
        )
        body = UserBody(user=found.user.name, admin=found.user.admin)
        return Response(body, headers={"set-cookie": set_cookie(token, https=services.https)})

    @get(summary="Who is logged in")
    async def who(self, request: AnyRequest) -> UserBody:
        """Tell who the session belongs to."""
        return UserBody.of(visitor_of(request))

    @delete(summary="Log out", status_code=HTTP_204_NO_CONTENT)
    async def log_out(self, request: AnyRequest) -> Response[None]:
        """End the session and close what is open under it."""
        services = services_of(request)
        await services.logins.log_out(visitor_of(request).name, caller_of(request))
        return Response(None, headers={"set-cookie": clear_cookie(https=services.https)})

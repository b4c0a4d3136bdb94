/*
 * An IPVS in which everything succeeds and nothing is kept, for kernels that have none: keepalived's checkers do not
 * start without. Preloaded into keepalived, it stands in for the parts of libnl with which keepalived programs IPVS.
 */

enum { CALLBACK_FINISH = 1, CALLBACK_ACK = 4, SOME_FAMILY = 30 };

typedef int (*callback)(void *message, void *argument);

static struct {
    callback call;
    void *argument;
} finish, ack;

int genl_ctrl_resolve(void *socket, const char *name) { return SOME_FAMILY; }

int nl_send_auto(void *socket, void *message) { return 1; }

int nl_socket_modify_cb(void *socket, int type, int kind, callback call, void *argument)
{
    if (type == CALLBACK_FINISH) {
        finish.call = call;
        finish.argument = argument;
    }
    if (type == CALLBACK_ACK) {
        ack.call = call;
        ack.argument = argument;
    }
    return 0;
}

/* keepalived waits until one of these was called. */
int nl_recvmsgs_default(void *socket)
{
    if (finish.call)
        finish.call(0, finish.argument);
    if (ack.call)
        ack.call(0, ack.argument);
    return 0;
}

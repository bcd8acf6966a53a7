/* A gear that passes records on, and that imports HTTP without ever calling it: what a module asks for counts, not what it
 * does. Its resource does not grant HTTP. */
typedef unsigned int u32;

__attribute__((import_module("env"), import_name("flux_req_http")))
int flux_req_http(u32 url, u32 url_length, u32 body, u32 body_length, u32 buffer, u32 room);

static unsigned char room[65536];
static u32 result[3];

__attribute__((export_name("flux_alloc"))) u32 flux_alloc(u32 length) { return length <= sizeof room ? (u32)(unsigned long)room : 0; }
__attribute__((export_name("flux_free"))) void flux_free(u32 at, u32 length) { (void)at; (void)length; }
__attribute__((export_name("flux_process"))) u32 flux_process(u32 at, u32 length) {
    if (length == 0) length = (u32)flux_req_http(0, 0, 0, 0, 0, 0);
    result[0] = 0;
    result[1] = at;
    result[2] = length;
    return (u32)(unsigned long)result;
}

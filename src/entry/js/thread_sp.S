# bw_js_sp_set(stack_top): the first thing a new thread calls. It has no stack yet, so C cannot do it.
    .globaltype __stack_pointer, i32

    .section .text.bw_js_sp_set,"",@
    .globl  bw_js_sp_set
    .type   bw_js_sp_set, @function
bw_js_sp_set:
    .functype bw_js_sp_set (i32) -> ()
    local.get 0
    global.set __stack_pointer
    end_function

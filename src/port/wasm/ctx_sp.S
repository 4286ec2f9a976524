# The shadow stack's pointer, which C cannot name, and its bounds on this thread: wasm globals, of
# which each thread has its own. How bw__sp_check gets called is told in cmake/BurrowTargets.cmake.

    .globaltype __stack_pointer, i32
    .globaltype sp_low, i32         # the stack pointer may lie in [sp_low, sp_low + sp_span]
    .globaltype sp_span, i32
    .globaltype ctx_now, i32        # the bw__ctx that runs on this thread, or 0
    .functype bw__ctx_sp_outside (i32) -> ()

    .section .text.bw__sp_get,"",@
    .globl  bw__sp_get
    .hidden bw__sp_get
    .type   bw__sp_get, @function
bw__sp_get:
    .functype bw__sp_get () -> (i32)
    global.get __stack_pointer
    end_function

    .section .text.bw__sp_set,"",@
    .globl  bw__sp_set
    .hidden bw__sp_set
    .type   bw__sp_set, @function
bw__sp_set:
    .functype bw__sp_set (i32) -> ()
    local.get 0
    global.set __stack_pointer
    end_function

    .section .text.bw__sp_bounds,"",@
    .globl  bw__sp_bounds
    .hidden bw__sp_bounds
    .type   bw__sp_bounds, @function
bw__sp_bounds:
    .functype bw__sp_bounds (i32, i32) -> ()
    local.get 0
    global.set sp_low
    local.get 1
    global.set sp_span
    end_function

    .section .text.bw__ctx_now_get,"",@
    .globl  bw__ctx_now_get
    .hidden bw__ctx_now_get
    .type   bw__ctx_now_get, @function
bw__ctx_now_get:
    .functype bw__ctx_now_get () -> (i32)
    global.get ctx_now
    end_function

    .section .text.bw__ctx_now_set,"",@
    .globl  bw__ctx_now_set
    .hidden bw__ctx_now_set
    .type   bw__ctx_now_set, @function
bw__ctx_now_set:
    .functype bw__ctx_now_set (i32) -> ()
    local.get 0
    global.set ctx_now
    end_function

# The stack pointer would leave its bounds. On a goroutine the thread's own stack is used from here
# on; and all is allowed to C, or the first frame on its way to the words would come here again.
    .section .text.sp_outside,"",@
    .type   sp_outside, @function
sp_outside:
    .functype sp_outside (i32) -> ()
    i32.const 0
    global.set sp_low
    i32.const -1
    global.set sp_span
    global.get ctx_now
    if
    global.get ctx_now
    i32.load 4                      # host_sp
    global.set __stack_pointer
    end_if
    local.get 0
    call    bw__ctx_sp_outside
    end_function

# Called before the stack pointer becomes the argument. The comparison is unsigned: a frame so large
# that the pointer wraps around is caught as well.
    .section .text.bw__sp_check,"",@
    .globl  bw__sp_check
    .type   bw__sp_check, @function
bw__sp_check:
    .functype bw__sp_check (i32) -> ()
    local.get 0
    global.get sp_low
    i32.sub
    global.get sp_span
    i32.gt_u
    if
    local.get 0
    call    sp_outside
    end_if
    end_function

# Never called. Exported until wasm-opt has woven in the checks, like bw__sp_check itself, it keeps an
# imported function of the same name: the pass then believes that its handler is there.
    .functype bw__sp_check_import (i32) -> ()
    .import_module bw__sp_check_import, env
    .import_name   bw__sp_check_import, bw__sp_check

    .section .text.bw__sp_hook,"",@
    .globl  bw__sp_hook
    .type   bw__sp_hook, @function
bw__sp_hook:
    .functype bw__sp_hook () -> ()
    i32.const 0
    call    bw__sp_check_import
    end_function

    .section .globals.sp,"",@
sp_low:
sp_span:
ctx_now:

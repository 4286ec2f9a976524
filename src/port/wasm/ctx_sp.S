# The shadow stack pointer, which C cannot name.
    .globaltype __stack_pointer, i32

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

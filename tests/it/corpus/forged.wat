;; A connector without manners. `$publish` calls the attack that the first byte of the text names, counted from `0`; all
;; else is as polite as can be. What stands in braces is filled in by `forged.rs`.
(module
    (import "orla:connector/log@0.1.0" "write" (func $log (param i32 i32 i32)))
    (import "orla:connector/http@0.1.0" "send" (func $send (param i32 i32)))
    (import "orla:connector/http@0.1.0" "forget" (func $forget (param i32 i32)))
    (import "orla:connector/blob@0.1.0" "[method]blob.size" (func $blob_size (param i32) (result i64)))
    (import "orla:connector/blob@0.1.0" "[method]blob.public-url" (func $public_url (param i32 i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $print (param i32 i32 i32 i32)))
    (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
    (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
    (import "[export]dying" "[resource-new]thing" (func $new (param i32) (result i32)))
    (import "[export]dying" "[resource-drop]thing" (func $drop_thing (param i32)))

    ;; 16 MiB: zeros at 512, results of the host at 1024, the manifest at 4096, what the host hands over from 64 KiB on, and
    ;; from 8 MiB on room for attacks.
    (memory (export "memory") 256)
    (table $attacks 64 funcref)
    (elem (i32.const 0) func {attack_names})
    (type $attack (func (result i32)))
    (data (i32.const 2048) "api/2/tweets")
    (data (i32.const 4096) "{manifest}")
    (global $next (mut i32) (i32.const 65536))
    (global $spins_after (mut i32) (i32.const 0))
    (global $calls_out (mut i32) (i32.const 0))

    (func $spin (loop $again (br $again)))
    (func $descend (result i32) (i32.add (call $descend) (i32.const 1)))

    (func (export "cabi_realloc") (param $old i32) (param $was i32) (param $align i32) (param $bytes i32) (result i32)
        (local $at i32)
        (if (i32.eq (local.get $bytes) (i32.const {spinning_bytes})) (then (call $spin)))
        (if (global.get $calls_out) (then (call $log (i32.const 0) (i32.const 2048) (i32.const 3))))
        (if (i32.gt_u (global.get $next) (i32.const 4194304)) (then (global.set $next (i32.const 65536))))
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $bytes)))
        (local.get $at))

    (func (export "describe") (result i32)
        (i32.store (i32.const 1024) (i32.const 4096))
        (i32.store (i32.const 1028) (i32.const {manifest_bytes}))
        (i32.const 1024))
    (func (export "orla:connector/identity@0.1.0#whoami")
        (param i32 i32 i32 i32 i32 i32 i32) (result i32)
        ;; The id `api`, and no handle.
        (i32.store (i32.const 1032) (i32.const 2048))
        (i32.store (i32.const 1036) (i32.const 3))
        (i32.const 1024))
    (func (export "orla:connector/identity@0.1.0#options")
        (param i32 i32 i32 i32 i32 i32 i32) (result i32)
        (i32.const 512))
    ;; More arguments than are passed one by one: they lie in memory. A variant begins with its parts.
    (func (export "orla:connector/publish@0.1.0#check") (param $arguments i32) (result i32)
        ;; `!` loops here already.
        (if (i32.eq (i32.load8_u (i32.load (i32.load (local.get $arguments)))) (i32.const 33)) (then (call $spin)))
        (i32.const 512))
    (func $publish (export "orla:connector/publish@0.1.0#publish")
        (param $arguments i32) (result i32)
        ;; The account takes 28 bytes.
        (call_indirect $attacks (type $attack)
            (i32.sub (i32.load8_u (i32.load (i32.load offset=28 (local.get $arguments)))) (i32.const 48))))
    (func (export "cabi_post_orla:connector/publish@0.1.0#publish") (param i32)
        (if (global.get $spins_after) (then (call $spin))))
    (func (export "dying#[dtor]thing") (param i32) (call $spin))

    {attacks}
)

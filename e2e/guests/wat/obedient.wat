;; Does what the message says. It looks for the first "do:" anywhere in the bytes and goes by the letter behind it, so that one
;; revision can be given every outcome, message by message:
;;   do:drop  do:reject (number 3, no text)  do:trap  do:spin  do:grow (until refused, then traps)
;;   do:output (no CBOR)  do:abi (code 999)  do:nothing (empty array)  do:fan (the message twice)
;; Everything else is echoed.
(func $order (param $ptr i32) (param $len i32) (result i32)
  (local $end i32)
  (local.set $end (i32.add (local.get $ptr) (local.get $len)))
  (block $none
    (loop $next
      (br_if $none (i32.gt_u (i32.add (local.get $ptr) (i32.const 4)) (local.get $end)))
      (if (i32.eq (i32.and (i32.load (local.get $ptr)) (i32.const 0xffffff)) (i32.const 0x3a6f64))
        (then (return (i32.load8_u offset=3 (local.get $ptr)))))
      (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
      (br $next)))
  (i32.const 0))
(func $grow
  (loop $more
    (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  (unreachable))
(func $fan (param $ptr i32) (param $len i32) (result i32)
  (local $out i32)
  (local.set $out (call $alloc (i32.add (i32.shl (local.get $len) (i32.const 1)) (i32.const 1))))
  (i32.store8 (local.get $out) (i32.const 0x82))
  (memory.copy (i32.add (local.get $out) (i32.const 1)) (local.get $ptr) (local.get $len))
  (memory.copy (i32.add (i32.add (local.get $out) (i32.const 1)) (local.get $len)) (local.get $ptr) (local.get $len))
  (call $answer (i32.const 0) (local.get $out) (i32.add (i32.shl (local.get $len) (i32.const 1)) (i32.const 1))))
(func $bytes (param $word i32) (param $len i32) (result i32)
  (local $out i32)
  (local.set $out (call $alloc (i32.const 16)))
  (i32.store (local.get $out) (local.get $word))
  (call $answer (i32.const 0) (local.get $out) (local.get $len)))
(func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
  (local $order i32)
  (local.set $order (call $order (local.get $ptr) (local.get $len)))
  (if (i32.eq (local.get $order) (i32.const 0x64)) ;; d
    (then (return (call $answer (i32.const 2) (i32.const 0) (i32.const 0)))))
  (if (i32.eq (local.get $order) (i32.const 0x72)) ;; r
    (then (return (call $answer (i32.const 3) (i32.const 0) (i32.const 0)))))
  (if (i32.eq (local.get $order) (i32.const 0x74)) ;; t
    (then (unreachable)))
  (if (i32.eq (local.get $order) (i32.const 0x73)) ;; s
    (then (loop $forever (br $forever))))
  (if (i32.eq (local.get $order) (i32.const 0x67)) ;; g
    (then (call $grow)))
  (if (i32.eq (local.get $order) (i32.const 0x6f)) ;; o
    (then (return (call $bytes (i32.const 0xffffffff) (i32.const 4)))))
  (if (i32.eq (local.get $order) (i32.const 0x61)) ;; a
    (then (return (call $answer (i32.const 999) (i32.const 0) (i32.const 0)))))
  (if (i32.eq (local.get $order) (i32.const 0x6e)) ;; n
    (then (return (call $bytes (i32.const 0x80) (i32.const 1)))))
  (if (i32.eq (local.get $order) (i32.const 0x66)) ;; f
    (then (return (call $fan (local.get $ptr) (local.get $len)))))
  (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))

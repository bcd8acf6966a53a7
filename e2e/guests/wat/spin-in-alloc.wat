(module
  (memory (export "memory") 2 2)
  (func (export "flux_alloc") (param $len i32) (result i32)
    (loop $forever (br $forever)) (i32.const 4096))
  (func (export "flux_free") (param i32 i32))
  (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
    (i32.store (i32.const 20) (local.get $ptr))
    (i32.store (i32.const 24) (local.get $len))
    (i32.const 16)))

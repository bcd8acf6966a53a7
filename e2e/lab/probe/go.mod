module wasmgear.test/probe

go 1.26

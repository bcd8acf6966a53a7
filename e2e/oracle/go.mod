module wasmgear.test/oracle

go 1.26

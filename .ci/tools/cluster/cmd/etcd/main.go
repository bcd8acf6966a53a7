// Command etcd is etcd's own main function. The module that publishes it can not be installed by name, because its
// go.mod replaces parts of itself.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }

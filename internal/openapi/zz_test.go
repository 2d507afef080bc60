package openapi
import ("testing";"os";"path/filepath";"io/fs";"strings")
func TestZZ(t *testing.T){ n:=0
 for _,root:=range []string{"/tmp/all","/tmp/x25","/tmp/xaz"}{ filepath.WalkDir(root,func(p string,e fs.DirEntry,err error)error{ if !strings.HasSuffix(p,".yaml"){return nil}
  data,_:=os.ReadFile(p); d,err:=Parse(p,data); if err==nil{err=d.Check()}; if err!=nil{t.Error(p,err);return nil}
  w,err:=d.composeWhole(); if err!=nil{t.Error(p,err);return nil}
  n++
  if outline(d.Root())!=outline(w){t.Error("differs",p)}
  return nil})}
 t.Log(n)}

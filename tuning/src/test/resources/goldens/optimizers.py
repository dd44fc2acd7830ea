# Values of ProdigyTest and MuonTest, from the published formulas in float64. Run: python optimizers.py
import torch, math
# Prodigy, algorithm 4, in float64 straight from the paper
x0=[0.0,0.0,0.0]; tgt=[0.3,0.4,-0.7]
b1,b2,eps,d,r=.9,.999,1e-8,1e-6,0.
x=list(x0); m=[0]*3; v=[0]*3; s=[0]*3
for k in range(200):
    g=[xi-t for xi,t in zip(x,tgt)]
    r=math.sqrt(b2)*r+(1-math.sqrt(b2))*d*d*sum(gi*(a-b) for gi,a,b in zip(g,x0,x))
    for i in range(3):
        m[i]=b1*m[i]+(1-b1)*d*g[i]; v[i]=b2*v[i]+(1-b2)*d*d*g[i]**2
        s[i]=math.sqrt(b2)*s[i]+(1-math.sqrt(b2))*d*d*g[i]
    x=[x[i]-d*m[i]/(math.sqrt(v[i])+d*eps) for i in range(3)]
    dh=r/sum(abs(e) for e in s); d=max(d,dh)
    if k in (0,49,99,199): print(k+1,x,d)
# Jordan et al. 2024, Newton and Schulz, five steps
def ns(G,steps=5):
    a,b,c=(3.4445,-4.7750,2.0315); X=G.double(); X=X/(X.norm()+1e-7)
    T=X.size(0)>X.size(1)
    if T: X=X.T
    for _ in range(steps):
        A=X@X.T; B=b*A+c*A@A; X=a*X+B@X
    return X.T if T else X
G=torch.tensor([[1.,2,-1],[0.5,-3,2]])
print(ns(G).tolist()); print(ns(G.T).tolist())

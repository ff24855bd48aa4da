"""Models of data scientists, judged live: any bundle that says which tags of an asset it looks at."""

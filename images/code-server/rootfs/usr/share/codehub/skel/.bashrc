# Yours to change: it is made once, when the home has none.
case $- in *i*) ;; *) return ;; esac
shopt -s histappend checkwinsize
HISTSIZE=10000 HISTFILESIZE=20000 HISTCONTROL=ignoreboth
PS1='\[\e[32m\]${CODEHUB_ID:-\u}\[\e[0m\]:\[\e[34m\]\w\[\e[0m\]\$ '
alias ls='ls --color=auto' ll='ls -alF' grep='grep --color=auto'
[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
